/*
 * Rules over several leaves of one entry.
 * The store checks what must be unique across entries (store/validate.c).
 */
#ifndef MODEL_RULES_H
#define MODEL_RULES_H

#include "model/error.h"
#include "model/model.h"

/*
 * Is the entry complete and consistent? A leaf is given if it is present. Errors:
 * -EINVAL with ERROR_MANDATORY, ERROR_MISSING_CHOICE (neither local-address nor
 * local-interface), ERROR_NOT_APPLICABLE or ERROR_MUST; err->path names entry
 * and leaf, err->info the leaf or choice. Sources: linux-l2tpv3.yang, RFC 3931,
 * net/l2tp (each rule says which).
 */
int rules_check_tunnel(const struct tunnel *tunnel, struct error *err);
int rules_check_session(uint32_t tunnel_id, const struct session *session, struct error *err);

/*
 * Clear leaves that stopped applying because another leaf was set (RFC 7950
 * section 8.2: a node whose "when" became false goes). Leaves in @given (presence bits) stay, for
 * the check to refuse (section 8.3): the edit sets them, even if to the same value.
 */
void rules_drop_tunnel(uint64_t given, struct tunnel *after);
void rules_drop_session(uint64_t given, struct session *after);

/*
 * Name of the 802.1Q link of an ethernet-vlan session: "<interface>.<vlan>". ""
 * for other types, without interface-name, or if it does not fit (which the check
 * above refuses).
 */
void rules_vlan_name(const struct session *session, char ret[IFNAME_LENGTH + 1]);

#endif
