#include "netconf/sections.h"

enum kind { NONE, COMMENT, CDATA, INSTRUCTION, KINDS };

static const struct {
	const char *start;
	char end;         /* `run` times, then ">" */
	unsigned int run; /* at least */
	const char *cut;  /* ends one and begins the next */
} marks[KINDS] = {
	[COMMENT] = {"<!--", '-', 2, "--><!-- "},
	[CDATA] = {"<![CDATA[", ']', 2, "]]><![CDATA["},
	[INSTRUCTION] = {"<?", '?', 1, "?><?x "},
};

#define ALL_KINDS ((1U << KINDS) - 2)

/* Take one byte outside; returns what begins with it. XML has "<" in no other place. */
static enum kind match_start(struct sections *sections, char c)
{
	unsigned int left = 0;

	if (c == '<') {
		sections->candidates = ALL_KINDS;
		sections->matched = 1;
		return NONE;
	}
	for (unsigned int kind = NONE + 1; kind < KINDS; kind++) {
		if (!(sections->candidates & 1U << kind) ||
		    marks[kind].start[sections->matched] != c)
			continue;
		if (!marks[kind].start[sections->matched + 1])
			return kind;
		left |= 1U << kind;
	}
	sections->candidates = left;
	sections->matched++;
	return NONE;
}

/*
 * Behind the next "<" that may begin one of them; NULL: none. Looks for the second character,
 * which is rarer.
 */
static const char *find_start(const char *at, const char *end)
{
	const char *start = at, *bang = at;

	while (at < end) {
		size_t length;

		if (bang <= at)
			bang = memchr(at, '!', (size_t)(end - at));
		if (!bang)
			bang = end;
		length = (size_t)(bang - at);
		at = memchr(at, '?', length);
		if (!at)
			at = bang;
		if (at == end)
			break;
		if (at > start && at[-1] == '<')
			return at;
		at++;
	}
	return end > start && end[-1] == '<' ? end : NULL;
}

static size_t step_outside(struct sections *sections, const char *bytes, size_t length,
			   const char **ret_cut)
{
	for (size_t i = 0; i < length; i++) {
		enum kind kind;

		if (!sections->candidates) {
			const char *next = find_start(bytes + i, bytes + length);

			if (!next)
				return length;
			i = (size_t)(next - bytes) - 1;
		}
		kind = match_start(sections, bytes[i]);
		if (kind != NONE) {
			*sections = (struct sections){.kind = kind};
			/* Else libxml2 may take the "-->" in "<!-->" for its end. */
			*ret_cut = kind == COMMENT ? " " : "";
			return i + 1;
		}
	}
	return length;
}

/* Never cut in the middle of an end mark, a character, or an instruction's target. */
static bool may_cut(const struct sections *sections, char next)
{
	return sections->length >= SECTION_MAX && !sections->run &&
	       ((unsigned char)next & 0xc0) != 0x80 &&
	       (sections->kind != INSTRUCTION || sections->blank);
}

static size_t step_inside(struct sections *sections, const char *bytes, size_t length,
			  const char **ret_cut)
{
	unsigned int kind = sections->kind;

	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];

		if (may_cut(sections, c)) {
			*ret_cut = marks[kind].cut;
			sections->length = 0;
			return i;
		}
		if (c == '>' && sections->run >= marks[kind].run) {
			*sections = (struct sections){.kind = NONE};
			return i + 1;
		}
		sections->run = c == marks[kind].end ? sections->run + 1 : 0;
		sections->blank |= c == ' ' || c == '\t' || c == '\n' || c == '\r';
		sections->length++;
	}
	return length;
}

size_t sections_step(struct sections *sections, const char *bytes, size_t length,
		     const char **ret_cut)
{
	*ret_cut = "";
	if (sections->kind == NONE)
		return step_outside(sections, bytes, length, ret_cut);
	return step_inside(sections, bytes, length, ret_cut);
}
