/*
 * The configuration in the words of another program, for a machine without l2tpv3d: a script of
 * `ip l2tp` and `ip link`, files of systemd-networkd, commands of VyOS. What that has no words for
 * is said on stderr, a line for each leaf; ip's script has it as comments.
 */
#ifndef CLI_SCRIPT_H
#define CLI_SCRIPT_H

#include "cli/record.h"

struct script {
	enum cli_form form; /* not FORM_DOCUMENT */
	FILE *file;
	const char *directory; /* networkd: write the files there; NULL: to `file` */
	struct tunnel tunnel;  /* of the sessions that follow */
	size_t sessions;       /* of it so far */
	bool left_out;         /* it, and so they are */
	/* networkd: the .netdev file under way, and the .network files that follow it */
	FILE *netdev, *networks;
	char *netdev_text, *networks_text;
	size_t netdev_length, networks_length;
	int rc; /* the first failure to write: a negative errno */
};

/* @directory is borrowed. */
void script_begin(struct script *script, enum cli_form form, const char *directory, FILE *file);
/* A tunnel, or a session of the latest tunnel. @record: complete. */
void script_entry(struct script *script, const struct record *record);
int script_end(struct script *script, struct error *err);

/* ---- for its parts */

/* "l2tpv3ctl: note: WHO has no words for session 1/7: dead-interval" for each that is not in
 * @known. */
void script_unknown(const char *who, const struct record *record, uint64_t known);
/* Is the leaf as it would be without a word? */
bool script_is_default(const struct row *row, const char *text);
/* Left out altogether. */
void script_leave_out(const char *who, const struct record *record, const char *why);
void networkd_entry(struct script *script, const struct record *record);
void networkd_end(struct script *script);
void vyos_entry(struct script *script, const struct record *record);

#endif
