#include "model/rules.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "model/codec.h"
#include "model/entry.h"

/* What is checked, and where it is, for the error's path. */
struct checked {
	enum object object;
	const void *config;
	uint32_t tunnel_id, session_id;
};

static const struct row *row_of(enum object object, unsigned int number)
{
	return &row_sets[object].rows[number];
}

static bool has(const struct checked *entry, unsigned int number)
{
	return codec_present(row_of(entry->object, number), entry->config);
}

static void point(struct error *err, const struct checked *entry, const struct row *row)
{
	error_at_object(err, entry->object, entry->tunnel_id, entry->session_id, row);
}

static void name(struct error *err, const char *leaf)
{
	if (err)
		snprintf(err->info, sizeof(err->info), "%s", leaf);
}

/* A leaf of the entry is to blame. */
static int blame(struct error *err, const struct checked *entry, const struct row *row, int rc)
{
	point(err, entry, row);
	name(err, row->leaf);
	return rc;
}

static int check_mandatory(const struct checked *entry, struct error *err)
{
	const struct row_set *set = &row_sets[entry->object];

	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];

		if (row->mandatory && !has(entry, i))
			return blame(err, entry, row,
				     error_set(err, ERROR_MANDATORY,
					       "given no %s, which every %s needs", row->leaf,
					       set->name));
	}
	return 0;
}

static int refuse_leaf(const struct checked *entry, const struct row *row, struct error *err)
{
	char given[VALUE_TEXT_MAX] = "a value";

	if (!err)
		return error_set(NULL, ERROR_NOT_APPLICABLE, "%s", "");
	if (!row->secret)
		codec_print(row, entry->config, given);
	return blame(err, entry, row,
		     error_set(err, ERROR_NOT_APPLICABLE, "given %s; allowed %s", given,
			       codec_condition(row)));
}

static int check_conditions(const struct checked *entry, struct error *err)
{
	const struct row_set *set = &row_sets[entry->object];

	for (uint64_t left = *(const uint64_t *)entry->config; left != 0; left &= left - 1) {
		const struct row *row = &set->rows[__builtin_ctzll(left)];

		if (!codec_applies(row, entry->config))
			return refuse_leaf(entry, row, err);
	}
	return 0;
}

static int must(struct error *err, const char *app_tag, int rc)
{
	if (err)
		err->app_tag = app_tag;
	return rc;
}

/* choice local { mandatory true }, of one case with both leaves: either will do, or both. */
static int check_local(const struct checked *entry, struct error *err)
{
	int rc;

	if (has(entry, TUNNEL_LOCAL_ADDRESS) || has(entry, TUNNEL_LOCAL_INTERFACE))
		return 0;
	rc = error_set(err, ERROR_MISSING_CHOICE,
		       "given neither local-address nor local-interface; one of them, or "
		       "both, says where packets are sent from");
	point(err, entry, NULL);
	name(err, "local");
	return rc;
}

/* L2TP_CMD_TUNNEL_CREATE takes one pair of addresses (l2tp_nl_cmd_tunnel_create). */
static int check_family(const struct checked *entry, struct error *err)
{
	const struct row *row = row_of(OBJECT_TUNNEL, TUNNEL_REMOTE_ADDRESS);
	const struct tunnel *tunnel = entry->config;
	char local[VALUE_TEXT_MAX], remote[VALUE_TEXT_MAX];

	if (!has(entry, TUNNEL_LOCAL_ADDRESS) ||
	    tunnel->local_address.family == tunnel->remote_address.family)
		return 0;
	codec_print(row_of(OBJECT_TUNNEL, TUNNEL_LOCAL_ADDRESS), tunnel, local);
	codec_print(row, tunnel, remote);
	return blame(err, entry, row,
		     must(err, "address-family-mismatch",
			  error_set(err, ERROR_MUST,
				    "given %s with local-address %s; allowed both IPv4 or both "
				    "IPv6; a tunnel is one socket",
				    remote, local)));
}

int rules_check_tunnel(const struct tunnel *tunnel, struct error *err)
{
	const struct checked entry = {OBJECT_TUNNEL, tunnel, tunnel->tunnel_id, 0};
	int rc = check_mandatory(&entry, err);

	if (!rc)
		rc = check_local(&entry, err);
	if (!rc)
		rc = check_conditions(&entry, err);
	if (!rc)
		rc = check_family(&entry, err);
	return rc;
}

/* Linux has no Ethernet VLAN driver: the tag comes from an 802.1Q link over the interface. */
static int check_vlan(const struct checked *entry, struct error *err)
{
	const struct session *session = entry->config;
	int length, rc;

	if (session->pseudowire_type != PSEUDOWIRE_ETHERNET_VLAN)
		return 0;
	if (!has(entry, SESSION_VLAN_ID)) {
		rc = error_set(err, ERROR_MUST,
			       "given no vlan-id; pseudowire-type ethernet-vlan needs one, "
			       "1..4094 (RFC 4719 section 2.2)");
		point(err, entry, NULL);
		return must(err, "vlan-id-required", rc);
	}
	length = snprintf(NULL, 0, "%s.%u", session->interface_name, session->vlan_id);
	if (!has(entry, SESSION_INTERFACE_NAME) || length <= IFNAME_LENGTH)
		return 0;
	return blame(err, entry, row_of(OBJECT_SESSION, SESSION_INTERFACE_NAME),
		     must(err, "vlan-name-too-long",
			  error_set(err, ERROR_MUST,
				    "given \"%s\"; its 802.1Q link would be \"%s.%u\" of %d "
				    "characters; allowed %d (IFNAMSIZ)",
				    session->interface_name, session->interface_name,
				    session->vlan_id, length, IFNAME_LENGTH)));
}

/* Ns is a field of the Default L2-Specific Sublayer (RFC 3931 section 4.6.1). */
static int check_sequencing(const struct checked *entry, struct error *err)
{
	const struct session *session = entry->config;
	bool sends =
		session->sequencing == SEQUENCING_SEND || session->sequencing == SEQUENCING_BOTH;
	const struct row *row = row_of(OBJECT_SESSION, SESSION_SEQUENCING);
	char given[VALUE_TEXT_MAX];

	if (!sends || session->l2_specific_sublayer != SUBLAYER_NONE)
		return 0;
	codec_print(row, session, given);
	return blame(err, entry, row,
		     must(err, "sequencing-needs-sublayer",
			  error_set(err, ERROR_MUST,
				    "given %s with l2-specific-sublayer none; allowed none or "
				    "receive; the numbers are sent in the sublayer (RFC 3931 "
				    "section 4.6.1)",
				    given)));
}

int rules_check_session(uint32_t tunnel_id, const struct session *session, struct error *err)
{
	const struct checked entry = {OBJECT_SESSION, session, tunnel_id, session->session_id};
	int rc = check_mandatory(&entry, err);

	if (!rc)
		rc = check_conditions(&entry, err);
	if (!rc)
		rc = check_vlan(&entry, err);
	if (!rc)
		rc = check_sequencing(&entry, err);
	return rc;
}

static void drop(enum object object, uint64_t given, void *after)
{
	const struct row_set *set = &row_sets[object];

	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];

		if (!(given & BIT(i)) && codec_present(row, after) && !codec_applies(row, after))
			codec_clear(row, after);
	}
}

void rules_drop_tunnel(uint64_t given, struct tunnel *after)
{
	drop(OBJECT_TUNNEL, given, after);
}

void rules_drop_session(uint64_t given, struct session *after)
{
	drop(OBJECT_SESSION, given, after);
}

void rules_vlan_name(const struct session *session, char ret[IFNAME_LENGTH + 1])
{
	int length;

	ret[0] = '\0';
	if (session->pseudowire_type != PSEUDOWIRE_ETHERNET_VLAN || !session->interface_name[0])
		return;
	length = snprintf(ret, IFNAME_LENGTH + 1, "%s.%u", session->interface_name,
			  session->vlan_id);
	if (length > IFNAME_LENGTH)
		ret[0] = '\0';
}
