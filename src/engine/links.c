#include "engine/links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_index(const struct link_entry *a, const struct link_entry *b)
{
	return (a->link.index > b->link.index) - (a->link.index < b->link.index);
}

static int compare_name(const struct link_entry *a, const struct link_entry *b)
{
	return strcmp(a->link.name, b->link.name);
}

static int compare_alternative(const struct link_alternative *a, const struct link_alternative *b)
{
	return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(link_alternative_tree, link_alternative, by_name, compare_alternative,
		     __attribute__((unused)) static)
RB_GENERATE_INTERNAL(link_index_tree, link_entry, by_index, compare_index,
		     __attribute__((unused)) static)
RB_GENERATE_INTERNAL(link_name_tree, link_entry, by_name, compare_name,
		     __attribute__((unused)) static)

/* New links, and most look-ups, come in order: the link found last, or the next one, mostly tells.
 */
static struct link_entry *find_index(const struct links *links, unsigned int index)
{
	struct links *own = (struct links *)(uintptr_t)links;
	struct link_entry key = {.link.index = index}, *at = links->recent;

	if (at && at->link.index < index) {
		at = RB_NEXT(link_index_tree, NULL, at);
		if (!at || at->link.index > index)
			return NULL;
	}
	if (!at || at->link.index != index)
		at = RB_FIND(link_index_tree, &own->by_index, &key);
	if (at)
		own->recent = at;
	return at;
}

const struct kernel_link *links_by_index(const struct links *links, unsigned int index)
{
	const struct link_entry *entry = find_index(links, index);
	return entry ? &entry->link : NULL;
}

/* By its primary name. Interfaces are mostly made, and looked for, in order here, too. */
static const struct kernel_link *find_name(const struct links *links, const char *name)
{
	struct link_entry *entry = RB_ROOT(&links->by_name), *near = links->recent;
	int order = 1;

	for (int i = 0; near && i < 2 && order != 0; i++) {
		order = strcmp(name, near->link.name);
		if (order == 0)
			entry = near;
		near = RB_NEXT(link_index_tree, NULL, near);
	}
	while (entry && order != 0) {
		order = strcmp(name, entry->link.name);
		if (order != 0)
			entry = order < 0 ? RB_LEFT(entry, by_name) : RB_RIGHT(entry, by_name);
	}
	if (!entry)
		return NULL;
	((struct links *)(uintptr_t)links)->recent = entry;
	return &entry->link;
}

static struct link_alternative *find_alternative(const struct links *links, const char *name)
{
	const struct link_alternative key = {.name = name};

	return RB_FIND(link_alternative_tree,
		       (struct link_alternative_tree *)&links->by_alternative, (void *)&key);
}

const struct kernel_link *links_by_name(const struct links *links, const char *name)
{
	const struct kernel_link *link = find_name(links, name);
	const struct link_alternative *other = link ? NULL : find_alternative(links, name);

	return other ? &other->of->link : link;
}

bool links_know_names(const struct links *links, const struct kernel_link *link)
{
	const struct kernel_link *known = links_by_index(links, link->index);

	if (!known || strcmp(known->name, link->name) != 0)
		return false;
	for (const char *name = link->alternatives; name && *name; name += strlen(name) + 1)
		if (links_by_name(links, name) != known)
			return false;
	return true;
}

const struct kernel_link *links_by_vlan(const struct links *links, unsigned int parent,
					uint16_t vlan_id)
{
	struct link_entry *entry;

	RB_FOREACH (entry, link_index_tree, (struct link_index_tree *)&links->by_index)
		if (entry->link.parent == parent && entry->link.vlan_id == vlan_id)
			return &entry->link;
	return NULL;
}

const struct kernel_link *links_of_session(const struct links *links, unsigned int index,
					   const char *name)
{
	const struct kernel_link *link;

	if (index)
		return links_by_index(links, index);
	link = find_name(links, name);
	return link && !link->kind ? link : NULL;
}

static void forget_vrf(struct links *links, const struct link_entry *entry)
{
	size_t at = 0;

	while (entry->link.vrf && at < links->vrf_count && links->vrfs[at] != entry)
		at++;
	if (!entry->link.vrf || at == links->vrf_count)
		return;
	links->vrfs[at] = links->vrfs[--links->vrf_count];
	if (links->vrf_count == 0) {
		free(links->vrfs);
		links->vrfs = NULL;
	}
}

static bool put_vrf(struct links *links, struct link_entry *entry)
{
	struct link_entry **vrfs =
		reallocarray(links->vrfs, links->vrf_count + 1, sizeof(struct link_entry *));

	if (!vrfs)
		return false;
	links->vrfs = vrfs;
	vrfs[links->vrf_count++] = entry;
	return true;
}

static void forget_alternatives(struct links *links, struct link_entry *entry)
{
	const char *names = entry->link.alternatives;

	for (const char *name = names; name && *name; name += strlen(name) + 1) {
		struct link_alternative *other = find_alternative(links, name);

		if (!other || other->of != entry)
			continue;
		RB_REMOVE(link_alternative_tree, &links->by_alternative, other);
		free(other);
	}
	free((char *)(uintptr_t)names);
	entry->link.alternatives = NULL;
}

/* After a missed event another link may still have a name: the newer one is right. */
static bool put_alternatives(struct links *links, struct link_entry *entry, const char *names)
{
	size_t length = 1;
	char *copy;

	if (!names)
		return true;
	for (const char *name = names; *name; name += strlen(name) + 1)
		length += strlen(name) + 1;
	copy = malloc(length);
	if (!copy)
		return false;
	memcpy(copy, names, length);
	entry->link.alternatives = copy;
	for (const char *name = copy; *name; name += strlen(name) + 1) {
		struct link_alternative *known = find_alternative(links, name),
					*other = known ? known : calloc(1, sizeof(*other));

		if (!other)
			return false;
		other->of = entry;
		other->name = name;
		if (!known)
			RB_INSERT(link_alternative_tree, &links->by_alternative, other);
	}
	return true;
}

static void drop(struct links *links, struct link_entry *entry)
{
	forget_alternatives(links, entry);
	forget_vrf(links, entry);
	if (links->recent == entry)
		links->recent = NULL;
	RB_REMOVE(link_index_tree, &links->by_index, entry);
	free((char *)(uintptr_t)entry->link.alias);
	free(entry);
}

bool links_put(struct links *links, const struct kernel_link *link)
{
	struct link_entry *entry = find_index(links, link->index), *old;
	bool renamed = !entry || strcmp(entry->link.name, link->name) != 0;
	char *alias = link->alias ? strdup(link->alias) : NULL;

	links->changes++;
	if (link->alias && !alias)
		return false;
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry) {
			free(alias);
			return false;
		}
		entry->link.index = link->index;
		RB_INSERT(link_index_tree, &links->by_index, entry);
	} else {
		if (renamed)
			RB_REMOVE(link_name_tree, &links->by_name, entry);
		forget_vrf(links, entry);
		forget_alternatives(links, entry);
	}
	free((char *)(uintptr_t)entry->link.alias);
	entry->link = *link;
	entry->link.alternatives = NULL;
	entry->link.alias = alias;
	/* After a missed deletion another link may still have this name: the newer one is right. */
	old = renamed ? RB_INSERT(link_name_tree, &links->by_name, entry) : NULL;
	if (old) {
		RB_REMOVE(link_name_tree, &links->by_name, old);
		drop(links, old);
		RB_INSERT(link_name_tree, &links->by_name, entry);
	}
	return (!link->vrf || put_vrf(links, entry)) &&
	       put_alternatives(links, entry, link->alternatives);
}

void links_remove(struct links *links, unsigned int index)
{
	struct link_entry *entry = find_index(links, index);

	if (!entry)
		return;
	links->changes++;
	RB_REMOVE(link_name_tree, &links->by_name, entry);
	drop(links, entry);
}

bool links_remove_one(struct links *links)
{
	const struct link_entry *entry = RB_ROOT(&links->by_index);

	if (entry)
		links_remove(links, entry->link.index);
	return entry;
}

void links_clear(struct links *links)
{
	while (links_remove_one(links))
		;
}
