/* Notifications that wait: once for each object, in order, and not without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "notice.h"
#include "standard.h"

static void happen(struct notices *notices, enum engine_event_type type, uint32_t tunnel_id,
		   uint32_t session_id)
{
	struct entry entry = {.key = {tunnel_id, session_id}};

	notices_add(notices, NOTICES_OURS, &(struct engine_event){.type = type, .entry = &entry});
}

static void expect(struct notices *notices, enum notice_kind kind, uint32_t tunnel_id,
		   uint32_t session_id)
{
	struct notice *notice = notices_take(notices);

	assert_non_null(notice);
	assert_int_equal(notice->kind, kind);
	assert_int_equal(notice->tunnel_id, tunnel_id);
	assert_int_equal(notice->session_id, session_id);
	free(notice);
}

static void test_once_for_each_object(void **state)
{
	struct notices notices = {0};

	(void)state;
	notices_init(&notices);
	happen(&notices, ENGINE_STATE, 2, 7);
	happen(&notices, ENGINE_STATE, 1, 0);
	happen(&notices, ENGINE_STATE, 2, 7);
	happen(&notices, ENGINE_FOREIGN, 1, 9);
	happen(&notices, ENGINE_FOREIGN, 1, 0);
	happen(&notices, ENGINE_COMMIT, 1, 0);
	assert_int_equal(notices.count, 3);
	expect(&notices, NOTICE_TUNNEL_STATE, 1, 0); /* tunnels come first */
	happen(&notices, ENGINE_STATE, 1, 0);
	expect(&notices, NOTICE_FOREIGN, 1, 0);
	expect(&notices, NOTICE_TUNNEL_STATE, 1, 0);
	expect(&notices, NOTICE_SESSION_STATE, 2, 7);
	assert_null(notices_take(&notices));
	assert_int_equal(notices.dropped, 0);
}

static void test_the_oldest_of_sessions_give_way(void **state)
{
	struct notices notices = {0};

	(void)state;
	notices_init(&notices);
	happen(&notices, ENGINE_STATE, 1, 0);
	for (uint32_t id = 1; id <= NOTICES_MAX + 1; id++)
		happen(&notices, ENGINE_STATE, 1, id);
	assert_int_equal(notices.count, NOTICES_MAX);
	assert_int_equal(notices.dropped, 2);
	expect(&notices, NOTICE_TUNNEL_STATE, 1, 0);
	expect(&notices, NOTICE_SESSION_STATE, 1, 3);
	notices_clear(&notices);
	assert_int_equal(notices.count, 0);
	assert_null(notices_take(&notices));
}

/* RFC 5601: pwUp follows pwDown, and down and lowerLayerDown are one. */
static void test_a_pseudowire_is_told_of_in_turn(void **state)
{
	struct notices notices = {0};
	struct entry entry = {.key = {2, 7}};

	(void)state;
	notices_init(&notices);
	assert_int_equal(notices_due(&notices, 7, PW_UP), 0);
	assert_int_equal(notices_due(&notices, 7, PW_DORMANT), 0);
	assert_int_equal(notices_due(&notices, 7, PW_LOWER_LAYER_DOWN), NOTIFICATION_PW_DOWN);
	notices_set_down(&notices, 7, true);
	assert_int_equal(notices_due(&notices, 7, PW_DOWN), 0);
	assert_int_equal(notices_due(&notices, 8, PW_DOWN), NOTIFICATION_PW_DOWN);
	assert_int_equal(notices_due(&notices, 7, PW_NOT_PRESENT), 0);
	assert_int_equal(notices_due(&notices, 7, PW_UP), NOTIFICATION_PW_UP);
	notices_set_down(&notices, 7, false);
	assert_int_equal(notices_due(&notices, 7, PW_UP), 0);
	notices_set_down(&notices, 7, true);

	notices_add(&notices, NOTICES_OURS | NOTICES_PSEUDOWIRES,
		    &(struct engine_event){.type = ENGINE_STATE, .entry = &entry});
	assert_int_equal(notices.count, 2);
	assert_null(notices_take_pseudowire(&notices, 8));
	free(notices_take_pseudowire(&notices, 7));
	expect(&notices, NOTICE_SESSION_STATE, 2, 7);
	notices_free(&notices);
}

static void test_objects_are_columns(void **state)
{
	struct notice_objects objects;

	(void)state;
	for (enum notice_kind kind = NOTICE_TUNNEL_STATE; kind <= NOTICE_FOREIGN; kind++) {
		notice_objects(&(struct notice){.kind = kind, .tunnel_id = 1, .session_id = 2},
			       &objects);
		assert_int_equal(objects.trap[objects.trap_length - 1], kind);
		assert_int_equal(objects.trap[objects.trap_length - 2], 0);
		assert_in_range(objects.count, 1, NOTICE_OBJECTS_MAX);
		for (unsigned int i = 0; i < objects.count; i++)
			assert_int_equal(objects.instances[i].column->kind, COLUMN_ROW);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once_for_each_object),
		cmocka_unit_test(test_the_oldest_of_sessions_give_way),
		cmocka_unit_test(test_a_pseudowire_is_told_of_in_turn),
		cmocka_unit_test(test_objects_are_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
