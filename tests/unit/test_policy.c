/* What NACM's rules decide: the examples of RFC 8341 appendix A, and where the RFC is exact. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "model/names.h"
#include "store/acm.h"
#include "store/policy.h"

#define OURS "{" NAMESPACE_MODULE "}"
#define ACM  "{" NAMESPACE_ACM "}"

static struct acm *acm;

static struct acm_node *add(struct acm_node *parent, enum acm_item item, const char *text)
{
	struct acm_node *node = acm_add(acm, parent, item, text);

	assert_non_null(node);
	return node;
}

static void leaf(struct acm_node *parent, enum acm_item item, const char *text)
{
	if (text)
		add(parent, item, text);
}

static struct acm_node *rule(struct acm_node *list, const char *name, const char *module,
			     const char *operations, const char *action)
{
	struct acm_node *node = add(list, ACM_RULE, name);

	leaf(node, ACM_MODULE_NAME, module);
	leaf(node, ACM_OPERATIONS, operations);
	leaf(node, ACM_ACTION, action);
	return node;
}

static const char *uri_of(const char *module)
{
	return !strcmp(module, MODULE_NAME)                 ? NAMESPACE_MODULE
	       : !strcmp(module, "ietf-netconf-acm")        ? NAMESPACE_ACM
	       : !strcmp(module, "ietf-netconf-monitoring") ? NAMESPACE_MONITORING
	       : !strcmp(module, "ietf-netconf")            ? NAMESPACE_BASE
							    : NULL;
}

/* Appendix A.1 to A.4, with our module for the examples'. */
static int setup(void **state)
{
	struct acm_node *groups, *group, *list, *at;

	(void)state;
	acm = acm_new();
	groups = add(acm->root, ACM_GROUPS, "");
	group = add(groups, ACM_GROUP, "admin");
	add(group, ACM_USER_NAME, "admin");
	add(group, ACM_USER_NAME, "andy");
	group = add(groups, ACM_GROUP, "limited");
	add(group, ACM_USER_NAME, "wilma");
	add(group, ACM_USER_NAME, "bam-bam");
	group = add(groups, ACM_GROUP, "guest");
	add(group, ACM_USER_NAME, "guest");
	list = add(acm->root, ACM_RULE_LIST, "guest-acl");
	add(list, ACM_RULE_LIST_GROUP, "guest");
	rule(list, "deny-ncm", "ietf-netconf-monitoring", "*", "deny");
	list = add(acm->root, ACM_RULE_LIST, "limited-acl");
	add(list, ACM_RULE_LIST_GROUP, "limited");
	rule(list, "permit-ncm", "ietf-netconf-monitoring", "read", "permit");
	at = rule(list, "deny-kill-session", "ietf-netconf", "exec", "deny");
	add(at, ACM_RPC_NAME, "kill-session");
	at = rule(list, "mtu", NULL, "update", "permit");
	add(at, ACM_PATH,
	    "/" OURS "l2tpv3/" OURS "tunnel[" OURS "tunnel-id='7']/" OURS "session/" OURS "mtu");
	at = rule(list, "no-alarms", NULL, NULL, "deny");
	add(at, ACM_NOTIFICATION_NAME, "foreign-object");
	at = rule(list, "not-this", NULL, "read", "deny");
	add(at, ACM_PATH, "/" OURS "l2tpv3/" OURS "tunnel[" OURS "tunnel-id='9']");
	at = rule(list, "statistics", NULL, "read", "deny");
	add(at, ACM_PATH, "/" OURS "l2tpv3/" OURS "tunnel/" OURS "statistics");
	list = add(acm->root, ACM_RULE_LIST, "admin-acl");
	add(list, ACM_RULE_LIST_GROUP, "admin");
	rule(list, "permit-all", "*", "*", "permit");
	list = add(acm->root, ACM_RULE_LIST, "everybody");
	add(list, ACM_RULE_LIST_GROUP, "*");
	at = rule(list, "description", NULL, "create update", "permit");
	add(at, ACM_PATH, "/" OURS "l2tpv3/" OURS "tunnel/" OURS "description");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	acm_drop(acm);
	return 0;
}

static const struct policy *policy_for(const char *user, const char *group)
{
	const char *const groups[] = {group, NULL};
	const struct policy *ret;

	assert_int_equal(policy_compile(acm, user, groups, uri_of, &ret), 0);
	return ret;
}

enum { MTU = SESSION_MTU, COOKIE = SESSION_TX_COOKIE };

static const struct {
	const char *user, *group;
	enum right right;
	uint32_t tunnel, session;
	int row; /* -1: the entry */
	bool may;
} cases[] = {
	{"admin", NULL, RIGHT_READ, 1, 1, COOKIE, true},
	{"andy", NULL, RIGHT_DELETE, 1, 0, -1, true},
	{"who", "admin", RIGHT_UPDATE, 1, 1, COOKIE, true}, /* by the system's group */
	{"wilma", NULL, RIGHT_READ, 1, 1, -1, true},
	{"wilma", NULL, RIGHT_READ, 1, 1, COOKIE, false}, /* nacm:default-deny-all */
	{"wilma", NULL, RIGHT_READ, 9, 0, -1, false},
	{"wilma", NULL, RIGHT_READ, 9, 3, MTU, false}, /* in what is hidden */
	{"wilma", NULL, RIGHT_UPDATE, 7, 1, MTU, true},
	{"wilma", NULL, RIGHT_UPDATE, 8, 1, MTU, false},
	{"wilma", NULL, RIGHT_CREATE, 7, 1, MTU, false},
	{"wilma", NULL, RIGHT_UPDATE, 7, 1, -1, false},
	{"wilma", NULL, RIGHT_UPDATE, 1, 0, TUNNEL_DESCRIPTION, true}, /* group "*" */
	{"guest", NULL, RIGHT_CREATE, 1, 0, TUNNEL_DESCRIPTION, true},
	{"guest", NULL, RIGHT_DELETE, 1, 0, TUNNEL_DESCRIPTION, false},
	/* who is in no group is not in "*" either (section 3.4.5, step 4) */
	{"nobody", NULL, RIGHT_CREATE, 1, 0, TUNNEL_DESCRIPTION, false},
	{"nobody", NULL, RIGHT_READ, 1, 0, TUNNEL_DESCRIPTION, true},
	{"nobody", NULL, RIGHT_CREATE, 1, 0, -1, false},
};

static void data(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct policy *policy = policy_for(cases[i].user, cases[i].group);
		uint64_t rows =
			policy_rows(policy, cases[i].right, cases[i].tunnel, cases[i].session);

		if (((rows & (cases[i].row < 0 ? ROW_SELF : BIT(cases[i].row))) != 0) !=
		    cases[i].may)
			fail_msg("case %zu: %s", i, cases[i].user);
		policy_drop(policy);
	}
}

static void statistics_are_hidden_as_a_whole(void **state)
{
	const struct policy *policy = policy_for("wilma", NULL);
	uint64_t tunnel = policy_rows(policy, RIGHT_READ, 1, 0);
	uint64_t session = policy_rows(policy, RIGHT_READ, 1, 1);
	const struct row *row = row_by_leaf(OBJECT_TUNNEL, "tx-packets", 10);

	(void)state;
	assert_false(tunnel & BIT(row_number(row)));
	assert_true(session & BIT(row_number(row_by_leaf(OBJECT_SESSION, "tx-packets", 10))));
	policy_drop(policy);
}

static void operations_and_notifications(void **state)
{
	static const struct {
		const char *user, *name;
		enum ruling ruling;
	} rpcs[] = {
		{"wilma", "kill-session", RULING_DENY},
		{"wilma", "lock", RULING_NONE},
		{"admin", "kill-session", RULING_PERMIT},
		{"guest", "kill-session", RULING_NONE},
	};
	const struct policy *policy;

	(void)state;
	for (size_t i = 0; i < sizeof(rpcs) / sizeof(rpcs[0]); i++) {
		policy = policy_for(rpcs[i].user, NULL);
		assert_int_equal(policy_rpc_rule(policy, NAMESPACE_BASE, rpcs[i].name),
				 rpcs[i].ruling);
		policy_drop(policy);
	}
	policy = policy_for("wilma", NULL);
	assert_false(policy_may_notify(policy, NAMESPACE_MODULE, "foreign-object"));
	assert_true(policy_may_notify(policy, NAMESPACE_MODULE, "session-state-change"));
	policy_drop(policy);
	policy = policy_for("guest", NULL);
	assert_true(policy_may_notify(policy, NAMESPACE_MODULE, "foreign-object"));
	assert_false(policy_may_notify(policy, NAMESPACE_MONITORING, "any"));
	policy_drop(policy);
}

static void its_own_configuration_is_denied_by_default(void **state)
{
	const struct policy *policy = policy_for("wilma", NULL);

	(void)state;
	assert_false(policy_acm(policy, RIGHT_READ, acm->root));
	policy_drop(policy);
	policy = policy_for("admin", NULL);
	assert_true(policy_acm(policy, RIGHT_DELETE, acm->root->first));
	policy_drop(policy);
	assert_true(policy_acm(NULL, RIGHT_DELETE, acm->root));
}

static void a_list_of_rules_is_opened_by_its_name(void **state)
{
	struct acm_node *list = acm->root->first, *at, *first = NULL, *other = NULL;
	const struct policy *policy;

	(void)state;
	for (; list; list = list->next)
		if (list->item == ACM_RULE_LIST && !strcmp(list->text, "limited-acl"))
			break;
	at = rule(list, "own", NULL, "read", "permit");
	add(at, ACM_PATH, "/" ACM "nacm/" ACM "rule-list[" ACM "name='limited-acl']");
	for (struct acm_node *node = acm->root->first; node; node = node->next) {
		if (node == list)
			first = node;
		else if (node->item == ACM_RULE_LIST)
			other = node;
	}
	policy = policy_for("wilma", NULL);
	assert_true(policy_acm(policy, RIGHT_READ, first));
	assert_true(policy_acm(policy, RIGHT_READ, first->first));
	assert_false(policy_acm(policy, RIGHT_READ, other));
	assert_false(policy_acm(policy, RIGHT_READ, acm->root));
	policy_drop(policy);
}

/* 100 rules that do not name instances are a few decisions, and those that cannot count are none.
 */
static void rules_of_what_is_decided_cost_nothing(void **state)
{
	struct acm_node *list = add(acm->root, ACM_RULE_LIST, "many");
	const struct policy *policy;
	char name[16];

	(void)state;
	add(list, ACM_RULE_LIST_GROUP, "guest");
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		rule(list, name, MODULE_NAME, i & 1 ? "read" : "update", i & 2 ? "deny" : "permit");
	}
	policy = policy_for("guest", NULL);
	assert_true(policy_rows(policy, RIGHT_UPDATE, 1, 1) & ROW_SELF);
	assert_true(policy_rows(policy, RIGHT_READ, 1, 1) & BIT(COOKIE));
	assert_true(policy_cost(policy) <= 8);
	policy_drop(policy);
}

/* "[key='id']", or nothing for any. */
static void print_step(char *text, size_t size, const char *name, unsigned int id)
{
	size_t length = strlen(text);

	snprintf(text + length, size - length,
		 id ? "/" OURS "%s[" OURS "%s-id='%u']" : "/" OURS "%s", name, name, id);
}

/* However they name it: by its tunnel's id, its own, both or neither. */
static void of_the_rules_that_name_an_entry_the_first_decides(void **state)
{
	enum { IDS = 4, RULES = 12 };
	struct rule_made {
		unsigned int tunnel, session;
		bool permit;
	} made[RULES];

	(void)state;
	srandom(8);
	for (unsigned int round = 0; round < 300; round++) {
		struct acm *before = acm;
		struct acm_node *list;
		const struct policy *policy;

		acm = acm_new();
		list = add(acm->root, ACM_RULE_LIST, "random");
		add(list, ACM_RULE_LIST_GROUP, "group");
		for (unsigned int i = 0; i < RULES; i++) {
			char path[256] = "/" OURS "l2tpv3", name[16];

			made[i] = (struct rule_made){(unsigned int)random() % IDS,
						     (unsigned int)random() % IDS, random() % 2};
			print_step(path, sizeof(path), "tunnel", made[i].tunnel);
			print_step(path, sizeof(path), "session", made[i].session);
			snprintf(name, sizeof(name), "r%u", i);
			add(rule(list, name, NULL, "update", made[i].permit ? "permit" : "deny"),
			    ACM_PATH, path);
		}
		policy = policy_for("somebody", "group");
		for (unsigned int entry = 0; entry < IDS * IDS; entry++) {
			unsigned int tunnel = 1 + entry % IDS, session = 1 + entry / IDS, i = 0;

			while (i < RULES && ((made[i].tunnel && made[i].tunnel != tunnel) ||
					     (made[i].session && made[i].session != session)))
				i++;
			assert_int_equal((policy_rows(policy, RIGHT_UPDATE, tunnel, session) &
					  ROW_SELF) != 0,
					 i < RULES && made[i].permit);
		}
		policy_drop(policy);
		acm_drop(acm);
		acm = before;
	}
}

static void switched_off_it_permits_everything(void **state)
{
	(void)state;
	add(acm->root, ACM_ENABLE, "false");
	assert_null(policy_for("guest", NULL));
}

#define OUR    "{" NAMESPACE_MODULE "}"
#define TOP    "/" OUR "l2tpv3"
#define TUNNEL TOP "/" OUR "tunnel"

static void paths(void **state)
{
	static const char *const good[] = {"/{u}a",
					   "/{u}a/{v}b",
					   "/{u}a[{u}k='v']",
					   "/{u}a[{u}k=\"/x[\"][{u}l='']/{u}b",
					   "/{u}tunel[{u}k='v']",
					   TOP,
					   TUNNEL "[" OUR "tunnel-id='1']",
					   TUNNEL "/" OUR "statistics/" OUR "tx-packets",
					   TUNNEL "/" OUR "session[" OUR "session-id='1']/" OUR
						  "tx-cookie"};
	static const char *const bad[] = {
		"", "/", "a", "/a", "/{u}", "/{u}a/", "//{u}a", "/{u}a[1]", "/{u}a[k='v'",
		"/{u}a[{u}k=v]", "/{u}a[{u}k!='v']", "/{u}a | /{u}b", "/{u}a[{v}k='v']",
		/* not in our module: they would deny nothing */
		"/" OUR "tunnel", TOP "/" OUR "tunel", TOP "/{u}tunnel", TOP "[" OUR "x='1']",
		TUNNEL "[" OUR "peer-tunnel-id='1']", TUNNEL "[{u}tunnel-id='1']",
		TUNNEL "[" OUR "tunnel-id='0']",
		TUNNEL "[" OUR "tunnel-id='1'][" OUR "tunnel-id='2']", TUNNEL "/" OUR "tx-packets",
		TUNNEL "/" OUR "statistics/" OUR "mtu", TUNNEL "/" OUR "description[" OUR "x='1']",
		TUNNEL "/" OUR "description/" OUR "x"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(policy_path_is_good(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(policy_path_is_good(bad[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(data),
		TEST(statistics_are_hidden_as_a_whole),
		TEST(operations_and_notifications),
		TEST(its_own_configuration_is_denied_by_default),
		TEST(a_list_of_rules_is_opened_by_its_name),
		TEST(rules_of_what_is_decided_cost_nothing),
		TEST(of_the_rules_that_name_an_entry_the_first_decides),
		TEST(switched_off_it_permits_everything),
		TEST(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
