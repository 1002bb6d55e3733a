# Clapet. The two commands for a newcomer: make demo, make check.
#
#   make          builds build/bin and build/libexec/clapet       make lint     format, cppcheck, audits
#   make demo     installs what is missing, builds, tells the story on real data
#   make check    the same for every test                         make asan     the same tests under ASan and UBSan
#   make install  DESTDIR=, PREFIX=/usr/local                     make bench    measures, prints tables
#   make fuzz     FUZZ_SECONDS=60 for each target (clang)         make deps     Debian packages that pkg-config misses
#   make ECDSA=1  into build/ecdsa: keys of ECDSA and RSA too     make conformance-client   build/tests/tuf-client
#   make simulate SEEDS=1000   bundles lost, repeated, delayed, truncated, in one process (tests/simulate)
#   make cross DIR=…   compatibility against real triples (tests/conformance/cross.sh)
#   make conformance-pairs PAIRS=DIR    real schemas and CSVs against Frictionless's verdicts

# ECDSA=1: keys of ECDSA P-256 and RSA-PSS are read too (keys/pubkey_pem.c), in a build folder of its own.
ECDSA =
BUILD = build$(if $(ECDSA),/ecdsa)
PREFIX = /usr/local
VERSION = 0.1.0
CC = gcc
SANITIZE =
# V=1 shows whole commands.
V =
say = $(if $(V),,@echo '  $(1)' $(patsubst $(BUILD)/%,%,$@);)

WARNINGS = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings \
	-Wformat=2 -Wvla -Wundef -Wold-style-definition -Wredundant-decls -Wimplicit-fallthrough -Wdate-time
HARDENING = -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection -D_FORTIFY_SOURCE=2 \
	-fno-strict-aliasing -fno-delete-null-pointer-checks -ftrivial-auto-var-init=zero
LINK_HARDENING = -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
OPTIMISE = -O2 -g
ifneq ($(SANITIZE),)
HARDENING = -fPIE -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LINK_HARDENING = -pie -Wl,--as-needed -fsanitize=address,undefined
OPTIMISE = -O1 -g
endif
ifeq ($(SANITIZE),fuzz)
HARDENING += -fsanitize=fuzzer-no-link
endif
CPPFLAGS = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DCLAPET_VERSION='"$(VERSION)"' -I. $(if $(ECDSA),-DCLAPET_ECDSA) $(EXTRA_CPPFLAGS)
CFLAGS = -std=gnu17 $(OPTIMISE) $(WARNINGS) $(HARDENING) -ffile-prefix-map=$(CURDIR)=. $(EXTRA_CFLAGS)
LDFLAGS = $(LINK_HARDENING)

# --- sources, one a line -------------------------------------------------------------------------------------------
SRC_base = \
	base/fault.c \
	base/fdio.c \
	base/ipc.c \
	base/log.c \
	base/options.c \
	base/sandbox.c \
	base/sandbox_limit.c \
	base/text.c \
	base/worker.c

SRC_bundle = \
	bundle/blob.c \
	bundle/bundle.c \
	bundle/checksum.c \
	bundle/checksum_fd.c \
	bundle/columns.c \
	bundle/deadline.c \
	bundle/envelope.c \
	bundle/hash.c \
	bundle/html.c \
	bundle/json.c \
	bundle/json_published.c \
	bundle/json_values.c \
	bundle/link_ranges.c \
	bundle/newfile.c \
	bundle/notify.c \
	bundle/notation.c \
	bundle/patch_blob.c \
	bundle/patch_decode.c \
	bundle/patch_encode.c \
	bundle/patchindex.c \
	bundle/patchmatch.c \
	bundle/progress.c \
	bundle/relay.c \
	bundle/request.c \
	bundle/request_lines.c \
	bundle/request_short.c \
	bundle/statement.c \
	bundle/ustar.c

# The one-way link (FORMAT.md 29): a library of its own, so that the programs at its two ends alone link ISA-L.
SRC_link = \
	bundle/fec.c \
	bundle/fec_gfni.c \
	bundle/fec_tables.c \
	bundle/link_generation.c \
	bundle/link_geometry.c \
	bundle/link_key.c \
	bundle/link_memory.c \
	bundle/link_message.c \
	bundle/link_pack.c \
	bundle/link_packet.c

SRC_keys = \
	keys/canonical.c \
	keys/ceremony_assemble.c \
	keys/ceremony_change.c \
	keys/ceremony_form.c \
	keys/ceremony_keys.c \
	keys/ceremony_public.c \
	keys/ceremony_request.c \
	keys/ceremony_settle.c \
	keys/client.c \
	keys/client_roles.c \
	keys/client_search.c \
	keys/client_steps.c \
	keys/cosign.c \
	keys/cosign_say.c \
	keys/document.c \
	keys/dsse.c \
	keys/encodings.c \
	keys/journal.c \
	keys/journal_edge.c \
	keys/keyfolder.c \
	keys/logentry.c \
	keys/logentry_parse.c \
	keys/logread.c \
	keys/logshow.c \
	keys/metadata.c \
	keys/metadata_paths.c \
	keys/metadata_roles.c \
	keys/metadata_targets.c \
	keys/note.c \
	keys/note_sign.c \
	keys/passphrase.c \
	keys/pubkey.c \
	$(if $(ECDSA),keys/pubkey_pem.c) \
	keys/qr.c \
	keys/qr_png.c \
	keys/repository.c \
	keys/repository_create.c \
	keys/repository_open.c \
	keys/repository_pending.c \
	keys/repository_prune.c \
	keys/repository_sign.c \
	keys/schemes.c \
	keys/secret.c \
	keys/tile.c \
	keys/tlog.c \
	keys/words.c

SRC_schemas = \
	schemas/bytescan.c \
	schemas/columncheck.c \
	schemas/columncheck_compile.c \
	schemas/columnmap.c \
	schemas/columnmap_bind.c \
	schemas/columnmap_propose.c \
	schemas/columnmap_row.c \
	schemas/compat.c \
	schemas/compat_field.c \
	schemas/compat_table.c \
	schemas/compat_type.c \
	schemas/contract.c \
	schemas/copiedrows.c \
	schemas/contractfrom.c \
	schemas/custom_check.c \
	schemas/custom_check_parse.c \
	schemas/dialect.c \
	schemas/duration.c \
	schemas/field.c \
	schemas/field_compile.c \
	schemas/field_constraints.c \
	schemas/fold.c \
	schemas/formats.c \
	schemas/formats_json.c \
	schemas/french.c \
	schemas/french_lists.c \
	schemas/french_phone.c \
	schemas/french_places.c \
	schemas/jsonschema.c \
	schemas/jsonschema_check.c \
	schemas/jsonschema_value.c \
	schemas/keyfilter.c \
	schemas/keyindex.c \
	schemas/keylog.c \
	schemas/keylog_settle.c \
	schemas/keytable.c \
	schemas/labels.c \
	schemas/moment.c \
	schemas/moment_any.c \
	schemas/opening_hours.c \
	schemas/package.c \
	schemas/parallel.c \
	schemas/personal.c \
	schemas/personal_scan.c \
	schemas/plain.c \
	schemas/plaincheck.c \
	schemas/published.c \
	schemas/published_field.c \
	schemas/published_pattern.c \
	schemas/report_html.c \
	schemas/rowfilter.c \
	schemas/rowscan.c \
	schemas/rowsplit.c \
	schemas/rulelevel.c \
	schemas/schema.c \
	schemas/simplepattern.c \
	schemas/spill.c \
	schemas/table.c \
	schemas/textlist.c \
	schemas/tolerated.c \
	schemas/utf8pieces.c \
	schemas/validation.c \
	schemas/validation_batch.c \
	schemas/validation_checks.c \
	schemas/validation_header.c \
	schemas/validation_keys.c \
	schemas/validation_late.c \
	schemas/validation_map.c \
	schemas/validation_part.c \
	schemas/validation_report.c \
	schemas/validation_tally.c \
	schemas/value.c \
	schemas/warnings.c

# Modules of each side, without the files that hold a main().
SRC_outside = \
	outside/agent.c \
	outside/agentlog.c \
	outside/baseline.c \
	outside/baselinecommand.c \
	outside/charset.c \
	outside/check_references.c \
	outside/check_run.c \
	outside/config.c \
	outside/cosign.c \
	outside/descriptor.c \
	outside/excerpt.c \
	outside/exportcommand.c \
	outside/exportplan.c \
	outside/exportrecord.c \
	outside/exportslip.c \
	outside/hashset.c \
	outside/keyframe.c \
	outside/letthrough.c \
	outside/logcommand.c \
	outside/mapcommand.c \
	outside/patchcommand.c \
	outside/pending.c \
	outside/pipeline.c \
	outside/pipeline_check.c \
	outside/pipeline_fetch.c \
	outside/provenance.c \
	outside/prune.c \
	outside/publish.c \
	outside/publish_attest.c \
	outside/publish_bundle.c \
	outside/publish_sign.c \
	outside/records.c \
	outside/recover.c \
	outside/recovery.c \
	outside/references.c \
	outside/reportcommand.c \
	outside/requestfile.c \
	outside/resend.c \
	outside/resendask.c \
	outside/resendpart.c \
	outside/run.c \
	outside/run_bundles.c \
	outside/selfcheck.c \
	outside/sendask.c \
	outside/sendcheck.c \
	outside/sendencode.c \
	outside/sendfiles.c \
	outside/sendline.c \
	outside/sendneighbour.c \
	outside/sendobject.c \
	outside/sendpace.c \
	outside/sendprofile.c \
	outside/sendqueue.c \
	outside/sendranges.c \
	outside/sendreport.c \
	outside/sendrequest.c \
	outside/sendrun.c \
	outside/sendscan.c \
	outside/sendsession.c \
	outside/sendsift.c \
	outside/sendsocket.c \
	outside/sendsource.c \
	outside/sendspool.c \
	outside/sendstatus.c \
	outside/sendtest.c \
	outside/source.c \
	outside/sourcerules.c \
	outside/state.c \
	outside/state_parse.c \
	outside/status.c \
	outside/sync.c \
	outside/tabulate.c \
	outside/testresult.c \
	outside/travel.c \
	outside/url.c \
	outside/validate.c \
	outside/validate_references.c \
	outside/waiting.c \
	outside/withdraw.c

SRC_inside = \
	inside/accesscheck.c \
	inside/accesskeys.c \
	inside/accesskeys_json.c \
	inside/accesslog.c \
	inside/accesslog_format.c \
	inside/accessnames.c \
	inside/accessrate.c \
	inside/accessrules.c \
	inside/address.c \
	inside/attestcheck.c \
	inside/audit_history.c \
	inside/audit_trail.c \
	inside/audit_words.c \
	inside/catalogue.c \
	inside/check_answer.c \
	inside/check_attestation.c \
	inside/check_contract.c \
	inside/check_document.c \
	inside/check_read.c \
	inside/check_rebuild.c \
	inside/check_request.c \
	inside/check_personal.c \
	inside/check_resolve.c \
	inside/check_run.c \
	inside/check_table.c \
	inside/check_tolerated.c \
	inside/check_version.c \
	inside/compat_command.c \
	inside/compat_rows.c \
	inside/config.c \
	inside/config_history.c \
	inside/config_rows.c \
	inside/config_serve.c \
	inside/config_trust.c \
	inside/console_change.c \
	inside/console_dataset.c \
	inside/console_held.c \
	inside/console_history.c \
	inside/console_html.c \
	inside/console_link.c \
	inside/console_list.c \
	inside/console_log.c \
	inside/console_read.c \
	inside/console_readlog.c \
	inside/console_schema.c \
	inside/console_versions.c \
	inside/console_words.c \
	inside/contractstate.c \
	inside/crew.c \
	inside/decide.c \
	inside/datadiff.c \
	inside/decisions.c \
	inside/diffrows.c \
	inside/diffwait.c \
	inside/document_file.c \
	inside/findings.c \
	inside/generation.c \
	inside/goodrows.c \
	inside/historystate.c \
	inside/hooks.c \
	inside/hooks_program.c \
	inside/import.c \
	inside/incoming.c \
	inside/inside.c \
	inside/judge.c \
	inside/linkparts.c \
	inside/logbook.c \
	inside/missing.c \
	inside/moment.c \
	inside/medium.c \
	inside/mediumslip.c \
	inside/pastfiles.c \
	inside/pastlist.c \
	inside/pastspan.c \
	inside/pastversion.c \
	inside/plan.c \
	inside/policy.c \
	inside/rebuild.c \
	inside/receive_calibrate.c \
	inside/receive_counts.c \
	inside/receive_decode.c \
	inside/receive_deliver.c \
	inside/receive_delivered.c \
	inside/receive_hash.c \
	inside/receive_link.c \
	inside/receive_missing.c \
	inside/receive_objects.c \
	inside/receive_partial.c \
	inside/receive_reader.c \
	inside/receive_report.c \
	inside/receive_ring.c \
	inside/receive_run.c \
	inside/receive_session.c \
	inside/receive_slots.c \
	inside/receive_socket.c \
	inside/receive_status.c \
	inside/receive_store.c \
	inside/records.c \
	inside/restore.c \
	inside/retention.c \
	inside/retention_past.c \
	inside/retention_spans.c \
	inside/rollback_references.c \
	inside/rowdiff.c \
	inside/rowsanswer.c \
	inside/rowsbuild.c \
	inside/rowsbuild_table.c \
	inside/rowscatalog.c \
	inside/rowscell.c \
	inside/rowscell_read.c \
	inside/rowsfile.c \
	inside/rowsmake.c \
	inside/rowsmerge.c \
	inside/rowspool.c \
	inside/rowsquery.c \
	inside/rowswrite.c \
	inside/rowsort.c \
	inside/serve_access.c \
	inside/serve_access_sent.c \
	inside/serve_cache.c \
	inside/serve_catalog.c \
	inside/serve_connections.c \
	inside/serve_console.c \
	inside/serve_console_dataset.c \
	inside/serve_console_operators.c \
	inside/serve_daemon.c \
	inside/serve_dcat.c \
	inside/serve_diff.c \
	inside/serve_encode.c \
	inside/serve_event.c \
	inside/serve_events.c \
	inside/serve_file.c \
	inside/serve_history.c \
	inside/serve_kept.c \
	inside/serve_listen.c \
	inside/serve_negotiate.c \
	inside/serve_openapi.c \
	inside/serve_pick.c \
	inside/serve_reply.c \
	inside/serve_request.c \
	inside/serve_routes.c \
	inside/serve_rows.c \
	inside/serve_send.c \
	inside/serve_set.c \
	inside/serve_static.c \
	inside/serve_status.c \
	inside/serve_version.c \
	inside/settle.c \
	inside/settle_history.c \
	inside/settle_missing.c \
	inside/settle_references.c \
	inside/settle_rows.c \
	inside/status.c \
	inside/store_delete.c \
	inside/store_mend.c \
	inside/store_put.c \
	inside/store_read.c \
	inside/store_write.c \
	inside/storeverify.c \
	inside/storeverify_attest.c \
	inside/storeverify_blobs.c \
	inside/storeverify_day.c \
	inside/storeverify_dayset.c \
	inside/storeverify_files.c \
	inside/storeverify_history.c \
	inside/tried.c \
	inside/trustset.c \
	inside/trustset_read.c \
	inside/usage.c \
	inside/usage_report.c \
	inside/verdict.c \
	inside/versions.c

# --- programs: main file, libraries of ours, libraries of others ----------------------------------------------------
# Where Debian has no ISA-L for the machine, bundle/fec_tables.c does its work.
LIB_ISAL = $(if $(wildcard /usr/include/isa-l/erasure_code.h),-lisal)
PROGRAMS = clapet-keys clapet-outside clapet-inside clapet-audit clapet-send clapet-receive
WORKERS = outside-fetch outside-unpack outside-check outside-pack outside-sign outside-log \
	inside-unpack inside-verify inside-check inside-commit inside-log inside-rows inside-serve

MAIN_clapet-keys = keys/main.c keys/ceremony_say.c keys/cmd_assemble.c keys/cmd_cosign.c keys/cmd_delegate.c keys/cmd_files.c keys/cmd_fingerprint.c keys/cmd_generate.c \
	keys/cmd_init.c keys/cmd_link.c keys/cmd_request.c keys/cmd_show.c keys/cmd_sign.c keys/cmd_stage.c keys/cmd_status.c
OURS_clapet-keys = keys link bundle base
LIBS_clapet-keys = -lsodium -ljansson -lcrypto -lqrencode

MAIN_clapet-outside = outside/main.c
OURS_clapet-outside = outside schemas keys link bundle base
LIBS_clapet-outside = -lsodium -ljansson -lcsv -lpcre2-8 -lzstd -lcrypto -lseccomp

MAIN_clapet-inside = inside/main.c inside/cmd_check.c inside/cmd_checkout.c inside/cmd_contracts.c inside/cmd_decide.c inside/cmd_diff.c inside/cmd_history.c inside/cmd_import.c inside/cmd_key.c inside/cmd_log.c inside/cmd_misc.c inside/cmd_missing.c inside/cmd_provenance.c \
	inside/cmd_request.c \
	inside/cmd_rollback.c inside/cmd_rows.c inside/cmd_serve.c inside/cmd_show.c inside/cmd_status.c inside/cmd_usage.c inside/watch.c
OURS_clapet-inside = inside schemas keys bundle base
LIBS_clapet-inside = -ljansson -lcsv -lpcre2-8 -lsodium -lzstd -lcrypto -lseccomp -lqrencode

MAIN_clapet-audit = inside/audit.c inside/audit_attest.c inside/audit_blob.c inside/audit_bundle.c inside/audit_compare.c inside/audit_log.c \
	inside/audit_report.c inside/audit_report_html.c inside/audit_report_json.c
OURS_clapet-audit = inside keys bundle base
LIBS_clapet-audit = -ljansson -lsodium -lzstd -larchive -lcrypto -lseccomp

MAIN_clapet-send = outside/send.c
OURS_clapet-send = outside link bundle base
LIBS_clapet-send = $(LIB_ISAL) -lsodium -ljansson -lcrypto -lseccomp

MAIN_clapet-receive = inside/receive.c
OURS_clapet-receive = inside keys link bundle base
LIBS_clapet-receive = $(LIB_ISAL) -ljansson -lsodium -lcrypto -lseccomp

MAIN_outside-fetch = outside/fetch.c
OURS_outside-fetch = outside bundle base
LIBS_outside-fetch = -lcurl -lseccomp

MAIN_outside-unpack = outside/unpack.c
OURS_outside-unpack = outside bundle base
LIBS_outside-unpack = -larchive -lseccomp

MAIN_outside-check = outside/check.c
OURS_outside-check = outside schemas bundle base
LIBS_outside-check = -lcsv -ljansson -lpcre2-8 -lcrypto -lseccomp

MAIN_outside-pack = outside/pack.c
OURS_outside-pack = outside bundle base
LIBS_outside-pack = -lzstd -larchive -lcrypto -lseccomp

MAIN_outside-sign = outside/sign.c outside/sign_attest.c
OURS_outside-sign = outside keys bundle base
LIBS_outside-sign = -lsodium -ljansson -lcrypto -lseccomp

MAIN_outside-log = outside/log.c
OURS_outside-log = outside keys bundle base
LIBS_outside-log = -lsodium -lseccomp

MAIN_inside-unpack = inside/unpack.c
OURS_inside-unpack = inside bundle base
LIBS_inside-unpack = -larchive -lcrypto -lseccomp

MAIN_inside-verify = inside/verify.c
OURS_inside-verify = inside keys bundle base
LIBS_inside-verify = -lsodium -ljansson -lcrypto -lseccomp

MAIN_inside-check = inside/check.c
OURS_inside-check = inside schemas bundle base
LIBS_inside-check = -lzstd -lcsv -ljansson -lpcre2-8 -lcrypto -lseccomp

MAIN_inside-commit = inside/commit.c
OURS_inside-commit = inside bundle base
LIBS_inside-commit = -lcrypto -lseccomp

MAIN_inside-log = inside/log.c
OURS_inside-log = inside keys bundle base
LIBS_inside-log = -lsodium -lseccomp

MAIN_inside-rows = inside/rows.c
OURS_inside-rows = inside schemas bundle base
LIBS_inside-rows = -lsqlite3 -lcsv -ljansson -lpcre2-8 -lcrypto -lseccomp

# The one program that serves readers.
MAIN_inside-serve = inside/serve_main.c
OURS_inside-serve = inside schemas keys bundle base
LIBS_inside-serve = -lmicrohttpd -lsodium -lsqlite3 -lzstd -lz -ljansson -lcsv -lpcre2-8 -lcrypto -lseccomp

LIBS_all = $(LIB_ISAL) -lsodium -ljansson -lcrypto -lcsv -lpcre2-8 -lzstd -larchive -lqrencode -lmicrohttpd -lsqlite3 -lz -lseccomp

# --- rules ----------------------------------------------------------------------------------------------------------
.PHONY: all check check-only cross demo deps install lint asan bench bench-link bench-patch bench-serve bench-validate fuzz fuzzers clean tests
.SECONDARY:
.DELETE_ON_ERROR:

PRESENT_PROGRAMS = $(foreach p,$(PROGRAMS),$(if $(wildcard $(MAIN_$(p))),$(BUILD)/bin/$(p)))
PRESENT_WORKERS = $(foreach p,$(WORKERS),$(if $(wildcard $(MAIN_$(p))),$(BUILD)/libexec/clapet/$(p)))

all: $(PRESENT_PROGRAMS) $(PRESENT_WORKERS)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC  )$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# The console's style, script and picture become bytes of inside-serve: a C array each, without a tool but od and sed.
CONSOLE_FILES = inside/console/console.css inside/console/console.js inside/console/console.svg
$(BUILD)/gen/inside/console_files.h: $(CONSOLE_FILES)
	@mkdir -p $(@D)
	$(call say,GEN )for file in $(CONSOLE_FILES); do \
		echo "static const unsigned char $$(basename $$file | tr . _)[] = {"; od -An -v -tx1 $$file | sed 's/ \(..\)/0x\1,/g'; echo '};'; \
	done >$@
$(BUILD)/obj/inside/serve_static.o: $(BUILD)/gen/inside/console_files.h
$(BUILD)/obj/inside/serve_static.o: CPPFLAGS += -I$(BUILD)/gen

define library
$(BUILD)/lib$(1).a: $$(patsubst %.c,$(BUILD)/obj/%.o,$$(wildcard $$(SRC_$(1))))
	@rm -f $$@
	$$(call say,AR  )$$(AR) rcsD $$@ $$^
endef
$(foreach l,base bundle link keys schemas outside inside,$(eval $(call library,$(l))))

define program
$(BUILD)/$(2)/$(1): $(patsubst %.c,$(BUILD)/obj/%.o,$(MAIN_$(1))) $(OURS_$(1):%=$(BUILD)/lib%.a)
	@mkdir -p $$(@D)
	$$(call say,LINK)$$(CC) $$(CFLAGS) $$(LDFLAGS) $$(filter %.o,$$^) $(OURS_$(1):%=$(BUILD)/lib%.a) $$(LIBS_$(1)) -o $$@
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p),bin)))
$(foreach p,$(WORKERS),$(eval $(call program,$(p),libexec/clapet)))

# The generator of tests/evil/tuf.
ATTACKS = $(BUILD)/tests/attacks
tests: $(ATTACKS)

# A unit test is one file tests/unit/<folder>_<module>.c; a fuzz target tests/fuzz/<folder>_<module>.c, which also runs its corpus
# as an ordinary test. Tests of outside/ link liboutside.a, those of keys/ neither side, all others libinside.a.
UNIT_TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*.c))
FUZZ_TESTS = $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(filter-out tests/fuzz/driver.c,$(wildcard tests/fuzz/*.c)))
OURS_test = $(if $(findstring /keys_,$(1)),,$(BUILD)/lib$(if $(findstring /outside_,$(1)),outside,inside).a $(BUILD)/libschemas.a) $(BUILD)/libkeys.a $(BUILD)/liblink.a $(BUILD)/libbundle.a $(BUILD)/libbase.a

.SECONDEXPANSION:
$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $$(call OURS_test,/$$*)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) $< $(call OURS_test,/$*) -lcmocka $(LIBS_all) -o $@

$(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/driver.o $$(call OURS_test,/$$*)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) $(call OURS_test,/$*) $(LIBS_all) -o $@

$(ATTACKS): $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard tests/attacks/*.c))) $(call OURS_test,/keys_)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) $(call OURS_test,/keys_) $(LIBS_all) -o $@

# The simulator: the inside's supervisor, commands and workers in one program (tests/simulate/oneprocess.h), each worker's main() under another name.
SIMULATE = $(BUILD)/tests/simulate/simulate
SIMULATED_WORKERS = unpack verify check commit log
SIMULATE_WRAPS = fsync fdatasync syncfs time hash_fd crypto_sign_verify_detached
comma = ,
$(BUILD)/obj/tests/simulate/inside-%.o: $(BUILD)/obj/inside/%.o
	@mkdir -p $(@D)
	$(call say,NAME)objcopy --redefine-sym main=inside_$*_main $< $@
$(SIMULATE): $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/simulate/*.c)) $(SIMULATED_WORKERS:%=$(BUILD)/obj/tests/simulate/inside-%.o) \
		$(patsubst %,$(BUILD)/obj/inside/cmd_%.o,decide import rollback) $(OURS_clapet-inside:%=$(BUILD)/lib%.a)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) $(SIMULATE_WRAPS:%=-Wl$(comma)--wrap=%) $(filter %.o,$^) $(OURS_clapet-inside:%=$(BUILD)/lib%.a) $(LIBS_all) -o $@
tests: $(SIMULATE)
# A one-way link between two name spaces, for tests alone (tests/net/net.sh).
WIRE = $(BUILD)/tests/net/wire
$(WIRE): $(BUILD)/obj/tests/net/wire.o $(BUILD)/libbase.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@
tests: $(WIRE)
# Readers of a server at a rate, who judge every answer: tests/e2e/serve_load.sh, tests/bench/serve_load.sh.
SERVE_LOAD = $(BUILD)/tests/bench/serve_load
$(SERVE_LOAD): $(BUILD)/obj/tests/bench/serve_load.o $(BUILD)/libbase.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcrypto -o $@
tests: $(SERVE_LOAD)
# All of its seeds; `make check` has some of them.
SEEDS = 1000
.PHONY: simulate
simulate: $(SIMULATE)
	$(SIMULATE) --seeds $(SEEDS)

tests: all $(UNIT_TESTS) $(FUZZ_TESTS) conformance-client ecdsa-tests

# The TUF client for the public conformance suite (tests/conformance/). That suite's repositories have keys of all schemes: it is
# a build with ECDSA=1 in any case, as are the unit tests of those schemes.
ECDSA_BUILD = $(BUILD)$(if $(ECDSA),,/ecdsa)
TUF_CLIENT = $(patsubst %/ecdsa,%,$(BUILD))/tests/tuf-client
ECDSA_TESTS = $(patsubst tests/unit/%.c,$(ECDSA_BUILD)/tests/unit/%,$(wildcard tests/unit/keys_attacks.c tests/unit/keys_client*.c tests/unit/keys_metadata*.c tests/unit/keys_pubkey.c)) \
	$(patsubst tests/fuzz/%.c,$(ECDSA_BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/keys_client.c tests/fuzz/keys_metadata.c)) \
	$(ECDSA_BUILD)/libexec/clapet/inside-verify $(ECDSA_BUILD)/tests/unit/inside_verify
.PHONY: conformance-client ecdsa-tests
ifeq ($(ECDSA),)
ecdsa-tests: | conformance-client
	@$(MAKE) --no-print-directory ECDSA=1 BUILD=$(ECDSA_BUILD) ecdsa-tests
$(ECDSA_BUILD)/tests/conformance/tuf-client: FORCE
	@$(MAKE) --no-print-directory ECDSA=1 BUILD=$(ECDSA_BUILD) $@
.PHONY: FORCE
else
ecdsa-tests: $(ECDSA_TESTS)
endif
# Real schemas and CSVs with the verdicts of Frictionless, of which tests/data/pairs is a selection: PAIRS is the folder of pairs.jsonl.
.PHONY: conformance-pairs
conformance-pairs: all
	tests/conformance/pairs.py $(BUILD)/bin/clapet-outside $(PAIRS) tests/conformance/pairs.exceptions

conformance-client: $(ECDSA_BUILD)/tests/conformance/tuf-client
	@mkdir -p $(dir $(TUF_CLIENT))
	@cmp -s $< $(TUF_CLIENT) || cp $< $(TUF_CLIENT)

ifneq ($(ECDSA),)
$(BUILD)/tests/conformance/tuf-client: $(BUILD)/obj/tests/conformance/tuf_client.o $(BUILD)/libkeys.a $(BUILD)/libbundle.a $(BUILD)/libbase.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcurl -lsodium -ljansson -lcrypto -o $@
endif

# --- the commands of a newcomer -------------------------------------------------------------------------------------
demo: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@BUILD=$(BUILD) demo/run.sh

check: deps
	@tools/deps.sh readers || echo 'Recipes and console are tested with the languages and browsers that are there.'
	@$(MAKE) --no-print-directory -j$$(nproc) tests
	@$(MAKE) --no-print-directory check-only

SHELL_TESTS = $(wildcard tests/e2e/*.sh tests/audit/*.sh)
# Audits read the release build alone: sanitizers change what is linked.
ifneq ($(SANITIZE),)
SHELL_TESTS = $(wildcard tests/e2e/*.sh)
endif
check-only:
	@BUILD=$(BUILD) SANITIZE=$(SANITIZE) prove -j$$(nproc) --merge --timer $(PROVE_FLAGS) $(if $(ECDSA),,$(SIMULATE)) $(sort $(UNIT_TESTS) $(FUZZ_TESTS)) \
		$(if $(ECDSA),,$(filter-out %/inside-verify,$(ECDSA_TESTS))) $(SHELL_TESTS)

asan: deps
	@tools/deps.sh readers || :
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(BUILD)/asan SANITIZE=1 tests
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SANITIZE=1 check-only

deps:
	@tools/deps.sh

FORMATTED = $(shell git ls-files '*.c' '*.h' 2>/dev/null)
lint:
	@tools/deps.sh lint
	@echo '  clang-format'; clang-format --dry-run -Werror $(FORMATTED)
	@echo '  cppcheck'; cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppressions-list=tools/cppcheck.suppressions -D_GNU_SOURCE -DCLAPET_VERSION='""' -I. $(filter-out tests/%,$(filter %.c,$(FORMATTED)))
	@echo '  shellcheck'; shellcheck -x -S warning demo/*.sh tests/*.sh tests/*/*.sh tools/*.sh image/systemd/*.sh .ci/run

# The drift replays over whole data: SHARED names the folder with cog, country-codes and runways40 (tests/data/drift/README.md).
.PHONY: drift
drift: deps
	@[ -n "$(SHARED)" ] || { echo 'make drift SHARED=DIR'; exit 2; }
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@SHARED='$(abspath $(SHARED))' BUILD=$(BUILD) prove -v --merge --timer tests/e2e/drift_*.sh

bench: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@for script in tests/bench/*.sh; do echo "== $$script"; BUILD=$(BUILD) $$script || exit 1; done

# The validator against libcsv alone and DuckDB; part of the above.
bench-validate: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@BUILD=$(BUILD) tests/bench/validate.sh

bench-patch: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@BUILD=$(BUILD) tests/bench/patch.sh && BUILD=$(BUILD) tests/bench/inside.sh

bench-link: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@BUILD=$(BUILD) tests/bench/link.sh

bench-serve: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@BUILD=$(BUILD) tests/bench/serve.sh

# Real triples of an old schema, a new one and data: DIR holds cross.jsonl and what it names.
cross: all
	@CROSS=$(DIR) INSIDE=$(CURDIR)/$(BUILD)/bin/clapet-inside tests/conformance/cross.sh

# libFuzzer, for finding new inputs; the corpora run as ordinary tests in `make check`.
FUZZ_SECONDS = 60
fuzz: deps
	@tools/deps.sh fuzz
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(BUILD)/fuzz CC=clang SANITIZE=fuzz fuzzers
	@tools/fuzz.sh $(BUILD)/fuzz/bin $(FUZZ_SECONDS)

FUZZER_NAMES = $(patsubst tests/fuzz/%.c,%,$(filter-out tests/fuzz/driver.c,$(wildcard tests/fuzz/*.c)))
fuzzers: $(FUZZER_NAMES:%=$(BUILD)/bin/%)
define fuzzer
$(BUILD)/bin/$(1): $(BUILD)/obj/tests/fuzz/$(1).o $(call OURS_test,/$(1))
	@mkdir -p $$(@D)
	$$(call say,LINK)$$(CC) $$(CFLAGS) $$(LDFLAGS) -fsanitize=fuzzer $$< $(call OURS_test,/$(1)) $$(LIBS_all) -o $$@
endef
ifeq ($(SANITIZE),fuzz)
$(foreach f,$(FUZZER_NAMES),$(eval $(call fuzzer,$(f))))
endif

# --- installation ---------------------------------------------------------------------------------------------------
DESTDIR =
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/clapet $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(PREFIX)/lib/sysctl.d \
		$(DESTDIR)$(PREFIX)/share/doc/clapet
	install -m 0755 $(PRESENT_PROGRAMS) $(DESTDIR)$(PREFIX)/bin/
	install -m 0755 $(PRESENT_WORKERS) $(DESTDIR)$(PREFIX)/libexec/clapet/
	install -m 0644 image/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	image/systemd/units.sh $(DESTDIR)$(PREFIX)/lib/systemd/system $(PREFIX)
	install -m 0644 image/sysusers.d/*.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/
	install -m 0644 image/tmpfiles.d/*.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/
	install -m 0644 image/sysctl.d/*.conf $(DESTDIR)$(PREFIX)/lib/sysctl.d/
	install -m 0644 README.md LICENSE bundle/FORMAT.md $(DESTDIR)$(PREFIX)/share/doc/clapet/
	install -d $(DESTDIR)$(PREFIX)/share/doc/clapet/readers
	install -m 0644 docs/readers/* $(DESTDIR)$(PREFIX)/share/doc/clapet/readers/

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
