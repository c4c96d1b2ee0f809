/* Turns what is inside <nacm> into an edit of NACM's configuration (store/acm.h): for decode.c. */
#ifndef NETCONF_ACM_DECODE_H
#define NETCONF_ACM_DECODE_H

#include "netconf/reader.h"
#include "store/acm.h"

struct acm_decoder {
	struct acm *acm; /* NULL: <nacm> was not given */
	struct acm_node *at;
	unsigned int depth; /* of open elements; 0: outside */
	enum edit_operation operation[READER_DEPTH_MAX + 2];
	enum acm_item leaf; /* the open one, or ACM_NACM */
	const struct reader *reader;
	char text[ACM_TEXT_MAX];
	bool tagged; /* the open leaf: as a default */
};

/* An attribute that says where an entry goes (RFC 7950 section 7.8.6): acm_decode_start() reads it.
 */
bool acm_decode_places(const struct reader_attribute *attribute);

/* Will the element be a leaf, which may be tagged as a default? Set `tagged` before it starts. */
bool acm_decode_may_tag(const struct acm_decoder *decoder, const char *name);

/* Its operation, by decode.c; as reader handlers, each returns a negative errno with @err. */
int acm_decode_start(struct acm_decoder *decoder, const struct reader_element *element,
		     enum edit_operation operation, struct error *err);
int acm_decode_text(struct acm_decoder *decoder, const char *text, size_t length,
		    struct error *err);
int acm_decode_end(struct acm_decoder *decoder, struct error *err);
/* After a failure: put into @err which element was open, or the nearest around it with a path. */
void acm_decode_place(const struct acm_decoder *decoder, struct error *err);

#endif
