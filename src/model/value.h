/*
 * Values: the verbs of each type, internal to model/ (codec.h is the door). A
 * "member" is the struct member the row's offset points to. Setting refuses
 * without touching the member, and fills the unused tail with zeros, so that
 * equal values are equal bytes.
 */
#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

#include "model/error.h"
#include "model/table.h"

struct value_verbs {
	int (*parse)(const struct row *row, void *member, const char *text, size_t length,
		     struct error *err);
	size_t (*print)(const struct row *row, const void *member, char *ret);
	/* one pair or the other; NULL where the type is not of that kind */
	int (*set_number)(const struct row *row, void *member, uint64_t value, struct error *err);
	uint64_t (*get_number)(const struct row *row, const void *member);
	int (*set_bytes)(const struct row *row, void *member, const void *bytes, size_t length,
			 struct error *err);
	size_t (*get_bytes)(const void *member, const void **ret_bytes);
};

extern const struct value_verbs value_verbs[TYPES];

/* value_number.c */
int bool_parse(const struct row *row, void *member, const char *text, size_t length,
	       struct error *err);
int enum_parse(const struct row *row, void *member, const char *text, size_t length,
	       struct error *err);
int number_parse(const struct row *row, void *member, const char *text, size_t length,
		 struct error *err);
size_t bool_print(const struct row *row, const void *member, char *ret);
size_t enum_print(const struct row *row, const void *member, char *ret);
size_t number_print(const struct row *row, const void *member, char *ret);
size_t time_print(const struct row *row, const void *member, char *ret);
int number_set(const struct row *row, void *member, uint64_t value, struct error *err);
uint64_t number_get(const struct row *row, const void *member);
/* Without a check, for what the kernel reports: cut to the member's size. */
void number_store(const struct row *row, void *member, uint64_t value);

/* value_bytes.c */
int string_set(const struct row *row, void *member, const void *bytes, size_t length,
	       struct error *err);
int ifname_set(const struct row *row, void *member, const void *bytes, size_t length,
	       struct error *err);
int address_set(const struct row *row, void *member, const void *bytes, size_t length,
		struct error *err);
int mac_set(const struct row *row, void *member, const void *bytes, size_t length,
	    struct error *err);
int cookie_set(const struct row *row, void *member, const void *bytes, size_t length,
	       struct error *err);
int string_parse(const struct row *row, void *member, const char *text, size_t length,
		 struct error *err);
int ifname_parse(const struct row *row, void *member, const char *text, size_t length,
		 struct error *err);
int address_parse(const struct row *row, void *member, const char *text, size_t length,
		  struct error *err);
int mac_parse(const struct row *row, void *member, const char *text, size_t length,
	      struct error *err);
int cookie_parse(const struct row *row, void *member, const char *text, size_t length,
		 struct error *err);
size_t string_print(const struct row *row, const void *member, char *ret);
size_t address_print(const struct row *row, const void *member, char *ret);
size_t mac_print(const struct row *row, const void *member, char *ret);
size_t cookie_print(const struct row *row, const void *member, char *ret);
size_t string_get(const void *member, const void **ret_bytes);
size_t address_get(const void *member, const void **ret_bytes);
size_t mac_get(const void *member, const void **ret_bytes);
size_t cookie_get(const void *member, const void **ret_bytes);

/*
 * Refuse with "given @given; allowed @allowed; why", the leaf as err->info.
 * @why NULL takes the row's.
 */
int value_refuse(const struct row *row, enum error_code code, const char *given,
		 const char *allowed, const char *why, struct error *err);

/* "name, name or name" of a word list. */
void value_list_words(const struct word *words, char *ret, size_t size);

#endif
