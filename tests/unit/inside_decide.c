/* SPDX-License-Identifier: ISC
 *
 * Where a dataset stands: each state from the least that makes it, and which reason comes first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/notation.h"
#include "inside/settle.h"

#define TRUSTED "aa00000000000000"
#define OLDER "bb00000000000000"

struct world {
	struct inside inside;
	struct policy_dataset listed;
	struct catalogue_target target; /* an attestation */
	struct catalogue_role role;
	struct dataset_view view;
};

/* A listed dataset with an older version in force and a trusted, checked, spotless newer one. */
static struct world *make(void)
{
	struct world *world = calloc(1, sizeof(*world));
	struct sha256 version = {{0xaa}};

	assert_non_null(world);
	world->inside = (struct inside)INSIDE_NEW;
	world->inside.policy = policy_new();
	world->inside.now = 1000;
	snprintf(world->listed.name, sizeof(world->listed.name), "cog");
	world->listed.threshold = 1;
	world->inside.policy->datasets = &world->listed;
	world->inside.policy->n_datasets = 1;
	world->role.record.threshold = 1;
	snprintf(world->target.record.file, sizeof(world->target.record.file), "provenance.intoto.json");
	world->role.targets = &world->target;
	world->role.n_targets = 1;
	world->view.role = &world->role;
	snprintf(world->view.name, sizeof(world->view.name), "cog");
	snprintf(world->view.trusted, sizeof(world->view.trusted), TRUSTED);
	snprintf(world->view.in_force, sizeof(world->view.in_force), OLDER);
	world->view.verdict = verdict_new("cog", &version);
	return world;
}

static void unmake(struct world *world)
{
	world->inside.policy->datasets = NULL;
	world->inside.policy->n_datasets = 0;
	policy_free(world->inside.policy);
	decisions_clear(&world->inside.decisions);
	free(world->inside.contracts);
	verdict_free(world->view.verdict);
	break_list_clear(&world->view.breaks);
	json_decref(world->view.waivers);
	free(world->view.missing);
	free(world);
}

static struct record_break field_break(const char *field)
{
	struct record_break item = {.fault = FAULT_CONTRACT_FIELD,
				    .can_be_approved = 1,
				    .application = "paie",
				    .resource = "communes",
				    .rule = "field-removed",
				    .line = "communes: it is gone"};

	snprintf(item.field, sizeof(item.field), "%s", field);
	return item;
}

static void expect(struct world *world, enum dataset_state state, enum fault fault)
{
	settle_decide(&world->inside, &world->view);
	assert_string_equal(dataset_state_name(world->view.state), dataset_state_name(state));
	assert_int_equal(world->view.why.fault, fault);
}

static void test_states(void **state)
{
	struct world *world = make();

	(void)state;
	expect(world, DATASET_IN_FORCE, FAULT_NONE);
	world->role.record.fault = FAULT_TUF_ABSENT;
	expect(world, DATASET_MISSING, FAULT_TUF_ABSENT);
	world->role.record.fault = FAULT_TUF_SIGNATURE;
	expect(world, DATASET_REFUSED, FAULT_TUF_SIGNATURE);
	world->role.record.fault = FAULT_NONE;
	world->view.n_missing = 1;
	world->view.missing = calloc(1, sizeof(*world->view.missing));
	expect(world, DATASET_MISSING, FAULT_BLOB_ABSENT);
	world->view.n_missing = 0;
	world->view.verdict->end.fault = FAULT_PLAIN_HASH;
	expect(world, DATASET_REFUSED, FAULT_PLAIN_HASH);
	verdict_free(world->view.verdict);
	world->view.verdict = NULL;
	expect(world, DATASET_TROUBLE, FAULT_WORKER);
	snprintf(world->view.in_force, sizeof(world->view.in_force), TRUSTED);
	expect(world, DATASET_IN_FORCE, FAULT_NONE);
	world->view.role = NULL;
	expect(world, DATASET_IN_FORCE, FAULT_NONE);
	unmake(world);
}

static void test_breaks_waivers_pins(void **state)
{
	struct world *world = make();
	struct record_break zone = field_break("zone"), nom = field_break("nom");
	struct waiver waiver = {.of = zone, .dataset = "cog", .until = 2000};
	struct pin pin = {.dataset = "cog", .version = OLDER, .operator= "alice", .reason = "closing", .until = 1500};
	const char *id;

	(void)state;
	break_list_add(&world->view.verdict->breaks, &zone);
	break_list_add(&world->view.verdict->breaks, &nom);
	expect(world, DATASET_HELD, FAULT_CONTRACT_FIELD);
	assert_string_equal(world->view.why.line,
			    "paie reads communes.zone: it is gone (rule field-removed), and 1 more");
	decisions_add_waiver(&world->inside.decisions, &waiver, &id, NULL);
	expect(world, DATASET_HELD, FAULT_CONTRACT_FIELD);
	assert_int_equal(world->view.breaks.n_items, 1);
	assert_string_equal(world->view.breaks.items[0].field, "nom");
	waiver.of = nom;
	decisions_add_waiver(&world->inside.decisions, &waiver, &id, NULL);
	expect(world, DATASET_IN_FORCE, FAULT_NONE);
	assert_int_equal(json_array_size(world->view.waivers), 2);
	decisions_set_pin(&world->inside.decisions, &pin);
	expect(world, DATASET_HELD, FAULT_HELD_PIN);
	assert_non_null(strstr(world->view.why.line, "alice: closing"));
	world->inside.now = 1500;
	expect(world, DATASET_IN_FORCE, FAULT_NONE);
	world->inside.now = 2000;
	expect(world, DATASET_HELD, FAULT_CONTRACT_FIELD);
	unmake(world);
}

/* One large change that a person let in is no licence for the next one; nor is a field that left the schema in force. */
static void test_waivers_against_the_version_in_force(void **state)
{
	static const char *const rules[][2] = {{"paie", "max-change"}, {"*", "field-type"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct world *world = make();
		struct record_break item = field_break("n");
		struct waiver waiver = {.dataset = "cog"};
		const char *id;

		snprintf(item.application, sizeof(item.application), "%s", rules[i][0]);
		snprintf(item.rule, sizeof(item.rule), "%s", rules[i][1]);
		waiver.of = item;
		break_list_add(&world->view.verdict->breaks, &item);
		settle_waiver_contract(&world->inside, &world->view, &item, waiver.contract);
		decisions_add_waiver(&world->inside.decisions, &waiver, &id, NULL);
		expect(world, DATASET_IN_FORCE, FAULT_NONE);
		snprintf(world->view.in_force, sizeof(world->view.in_force), "0123456789abcdef");
		expect(world, DATASET_HELD, FAULT_CONTRACT_FIELD);
		unmake(world);
	}
}

static void test_policy(void **state)
{
	struct world *world = make();

	(void)state;
	world->role.record.threshold = 1;
	world->listed.threshold = 2;
	expect(world, DATASET_HELD, FAULT_POLICY_THRESHOLD);
	world->listed.threshold = 1;
	world->view.verdict->facts.has_opaque = 1;
	expect(world, DATASET_HELD, FAULT_POLICY_OPAQUE);
	world->view.verdict->facts.has_opaque = 0;
	world->role.n_targets = 0;
	expect(world, DATASET_HELD, FAULT_ATTESTATION_ABSENT);
	world->inside.policy->attestations_optional = true;
	expect(world, DATASET_IN_FORCE, FAULT_NONE);
	unmake(world);
}

static void test_withdrawn(void **state)
{
	struct world *world = make();

	(void)state;
	world->role.record.is_withdrawn = 1;
	verdict_free(steal_pointer(&world->view.verdict));
	world->view.trusted[0] = '\0';
	expect(world, DATASET_WITHDRAWN, FAULT_NONE);
	world->inside.contracts = calloc(1, sizeof(*world->inside.contracts));
	world->inside.n_contracts = 1;
	snprintf(world->inside.contracts[0].application, NOTATION_NAME_SIZE, "paie");
	snprintf(world->inside.contracts[0].dataset, NOTATION_NAME_SIZE, "cog");
	expect(world, DATASET_HELD, FAULT_WITHDRAWN_READ);
	assert_non_null(strstr(world->view.why.line, "why has not arrived"));
	world->view.verdict = verdict_new("cog", &world->role.record.version);
	strcpy(world->view.verdict->facts.title, "merged");
	strcpy(world->view.verdict->facts.created, "2026-03-01");
	strcpy(world->view.verdict->facts.replaced_by, "other");
	expect(world, DATASET_HELD, FAULT_WITHDRAWN_READ);
	assert_non_null(strstr(world->view.why.line, "on 2026-03-01: merged; other replaces it"));
	world->view.verdict->end.fault = FAULT_JSON_MEMBER;
	expect(world, DATASET_REFUSED, FAULT_JSON_MEMBER);
	world->view.verdict->end.fault = FAULT_NONE;
	world->view.in_force[0] = '\0';
	expect(world, DATASET_WITHDRAWN, FAULT_NONE);
	assert_non_null(strstr(world->view.why.line, "merged"));
	unmake(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_breaks_waivers_pins),
		cmocka_unit_test(test_waivers_against_the_version_in_force),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_withdrawn),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("inside_decide", tests, NULL, NULL);
}
