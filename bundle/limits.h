/* SPDX-License-Identifier: ISC
 *
 * limits: every bound that input from elsewhere meets, each with its reason. A value here is part of the
 * formats: FORMAT.md cites it by name.
 */
#ifndef BUNDLE_LIMITS_H
#define BUNDLE_LIMITS_H

#define KIB 1024ULL
#define MIB (1024ULL * KIB)
#define GIB (1024ULL * MIB)

/* Catalogue. One delegated role a dataset; a larger catalogue needs hash bins, chosen at init. */
#define LIMIT_ROLES 4096
/* Files of one dataset: resources, datapackage.json, attestations. INSEE's largest packages have about 60. */
#define LIMIT_TARGETS_PER_ROLE 512
/* "dataset/resource.csv": two names of 63, a slash, an extension. */
#define LIMIT_TARGET_PATH_SIZE 160
/* "4294967295.<role>.json" and its NUL. */
#define LIMIT_METADATA_NAME_SIZE 96
/* A file's name within a dataset, with its NUL. */
#define LIMIT_FILE_NAME_SIZE 96

/* Metadata, before parsing. TUF wants each length capped: the timestamp has no one to vouch for it and is tiny;
 * snapshot and targets name LIMIT_ROLES roles at about 200 bytes; a dataset role LIMIT_TARGETS_PER_ROLE targets. */
#define LIMIT_ROOT_SIZE (512 * KIB)
#define LIMIT_TIMESTAMP_SIZE (16 * KIB)
#define LIMIT_SNAPSHOT_SIZE (2 * MIB)
#define LIMIT_TARGETS_SIZE (4 * MIB)
#define LIMIT_ROLE_SIZE (1 * MIB)
/* Steps of the root chain that one run follows (TUF 5.3.3 asks for a bound). */
#define LIMIT_ROOT_ROTATIONS 256
#define LIMIT_SIGNATURES 64
/* One signature: RSA with 8192 bits is the longest of all schemes. */
#define LIMIT_SIGNATURE_SIZE 1024
/* RSA: what no one breaks today (NIST SP 800-57), and what a signature may cost us. */
#define LIMIT_RSA_BITS_LEAST 2048
#define LIMIT_RSA_BITS 8192
/* A delegated role's name and its NUL in repositories of others (ours: a dataset's). Percent-encoded, with ".json", it
 * still is a file's name (255 bytes). */
#define LIMIT_ROLE_NAME_SIZE 81
/* "9007199254740991.<encoded role>.json" and its NUL. */
#define LIMIT_ROLE_FILE_SIZE 264
/* A target's path in repositories of others, with its NUL: what a path may have on Linux is four times that. */
#define LIMIT_ANY_PATH_SIZE 1024
/* Roles that one search for a target visits (TUF 5.6.7.1 asks for a bound): a chain of 200 is followed, and no search
 * reads more than these many role files. */
#define LIMIT_SEARCH_ROLES 256
#define LIMIT_KEYS 16384
/* A secret key file is about 700 bytes. */
#define LIMIT_KEY_FILE_SIZE (16 * KIB)
/* A public key file is about 250 bytes, a signature file 450. */
#define LIMIT_PUBLIC_KEY_FILE_SIZE (4 * KIB)
#define LIMIT_SIGNATURE_FILE_SIZE (4 * KIB)
/* Targets as they are and as they shall be, and a root: the first two with their quotes escaped. */
#define LIMIT_SIGN_REQUEST_SIZE (12 * MIB)
/* One line that a person or a credential store holds. */
#define LIMIT_PASSPHRASE_SIZE 1024
/* What a key file may ask of argon2id before its passphrase is known to be right: four times what we write. */
#define LIMIT_KDF_OPERATIONS 16
#define LIMIT_KDF_MEMORY (1 * GIB)
/* A QR code of version 20 has 97 modules a side, 105 columns with its margin: what a wide terminal or a page holds and a
 * telephone reads. At level M it holds 666 bytes. */
#define LIMIT_QR_VERSION 20
#define LIMIT_QR_TEXT_SIZE 666
/* 2^53 - 1: what every JSON reader agrees on. */
#define LIMIT_VERSION 9007199254740991LL

/* A request (FORMAT.md 18). Its versions have ten digits at most, as a bundle's name has: an outside that went above a larger one
 * could never be counted on again. Without a person's word it goes this far ahead at most: ten years of a signature every
 * hour. What the lost outside signed after the request was written may still be on its way: the next versions leave
 * room for it. Past this many roles a request names none by default: a person must be able to type it. */
#define LIMIT_REQUEST_VERSION 9999999999ULL
#define LIMIT_REQUEST_JUMP 100000
#define LIMIT_REQUEST_ROOM 1000
#define LIMIT_REQUEST_ROLES_SHOWN 24
/* More things than this are a whole catalogue, which travels by itself. */
#define LIMIT_REQUEST_WANTS 4096
/* All roles and all wants at their longest lines. */
#define LIMIT_REQUEST_SIZE (2 * MIB)
/* The short form, which a person types, is held to what a QR code holds (LIMIT_QR_TEXT_SIZE), blanks and empty lines that a person adds not
 * counted. Past so many objects it asks for all of a dataset: twenty times ten digits are what somebody copies without an error. A line of
 * "since" has ten characters at least. */
#define LIMIT_REQUEST_TYPED_SIZE (16 * KIB)
#define LIMIT_REQUEST_OBJECTS 20
#define LIMIT_REQUEST_SINCES 64
/* Bundles that crossed the link in part, and the characters of the ranges that are missing of one: two lines of a terminal. What has more gaps is
 * asked for with some of what lies between. */
#define LIMIT_REQUEST_PARTS 8
#define LIMIT_REQUEST_RANGES_SIZE 160

/* JSON of any kind: nesting deeper than any standard here needs. */
#define LIMIT_JSON_DEPTH 32
#define LIMIT_JSON_SIZE (16 * MIB)
#define LIMIT_CONFIGURATION_SIZE (1 * MIB)
#define LIMIT_PACKAGE_SIZE (4 * MIB)

/* Attestations. A statement names every file of a version and every address it came from; its envelope is base64 of it (a third
 * more) and signatures. One keyid or signature there is a line of text. */
#define LIMIT_STATEMENT_SIZE (4 * MIB)
#define LIMIT_ENVELOPE_SIZE (6 * MIB)
#define LIMIT_ENVELOPE_KEYID 256
#define LIMIT_ENVELOPE_SIGNATURE 1024
/* Rules that a test result names one by one; a version with more names them by resource. */
#define LIMIT_TESTS 4096

/* Bundle. Members: all roles, a long root chain, and the blobs of a first synchronisation. */
#define LIMIT_MEMBERS 65536
#define LIMIT_BUNDLE_SIZE (64 * GIB)
#define LIMIT_BUNDLE_METADATA_SIZE (64 * MIB)

/* A medium that is imported: entries of its folder that are looked at, more than FAT32 holds in one; and what is copied from it before it
 * is worked through: a settling costs less than these bytes, and large volumes come one by one, or they would need their size
 * again in incoming/. */
#define LIMIT_MEDIUM_FILES 65536
#define LIMIT_MEDIUM_BATCH (256 * MIB)
/* SHA256SUMS beside the bundles of a medium: LIMIT_EXPORT_VOLUMES lines of 180 bytes, and what else a person put there. */
#define LIMIT_SLIP_SIZE (1 * MIB)
/* An export: volumes, which a person carries; blobs of one, which the worker that writes it holds open, of 4,096 files that it may; a file of FAT32 at its largest, the bound where none is named; what remembers an export
 * under way: 70 bytes a blob, of several millions. */
#define LIMIT_EXPORT_VOLUMES 1000
#define LIMIT_EXPORT_BLOBS 4000
#define LIMIT_EXPORT_FAT32_SIZE (4 * GIB - 1)
#define LIMIT_EXPORT_RECORD_SIZE (256 * MIB)

/* Older versions of each dataset that the outside may be told to keep: past it nobody asks one for them, and each is looked into at every
 * pruning. */
#define LIMIT_KEEP_VERSIONS 1000

/* Blobs. A part is at most 1 GiB, so that any file system and any link takes it. */
#define LIMIT_PART_SIZE (1 * GIB)
#define LIMIT_PARTS 1024
#define LIMIT_PLAIN_SIZE (256 * GIB)
/* One zstd frame: decodes in bounded memory, in parallel with its neighbours. */
#define LIMIT_FRAME_PLAIN_SIZE (4 * MIB)
/* log2 of the largest window that a decoder accepts: 4 MiB, the frame itself. */
#define LIMIT_WINDOW_LOG 22

/* Tables. */
#define LIMIT_FIELDS 4096
#define LIMIT_CELL_SIZE (1 * MIB)
#define LIMIT_ROW_SIZE (4 * MIB)
#define LIMIT_ROWS 4000000000ULL
/* What a dialect may say of single rows: a struct of fixed size is copied with each resource. A label of several header rows is short
 * enough for every reader of the plain form. */
#define LIMIT_COMMENT_ROWS 64
#define LIMIT_HEADER_ROWS 8
#define LIMIT_DIALECT_TEXT 16
#define LIMIT_JOINED_LABEL (64 * KIB)
/* Memory of key indexes if nobody says otherwise: with all else that a check needs, the process stays below 300 MB. Past it keys go to
 * a file: LIMIT_ROWS rows of one key with 20 bytes of text in each are 180 GiB there. */
#define LIMIT_KEY_MEMORY (192 * MIB)
#define LIMIT_KEY_MEMORY_MIN (64 * KIB)
#define LIMIT_KEY_MEMORY_MAX (8 * GIB)
#define LIMIT_SPILL_SIZE (256 * GIB)
/* Faults of one kind kept with their place; all are counted. */
#define LIMIT_FAULTS_KEPT 100
/* Rules in fields that have faults, of one table: every field of the widest table breaking four rules. Faults past them are counted as errors
 * of their type. */
#define LIMIT_TALLIES 16384
/* Percent of rows, or of faults, that may come or go from one version to the next: past this, no bound is the clearer word. */
#define LIMIT_CHANGE_PERCENT 1000000
/* Kinds of faults (rule and field) that one version lets through: more are no known faults but a wrong schema. */
#define LIMIT_TOLERATED 1024
/* Patterns come from elsewhere and may be written to explode. The longest in published French schemas has 2,900 characters; a
 * match that needs more steps, depth or KiB of heap than this is a fault of its own, and after LIMIT_FAULTS_KEPT of them
 * the pattern is not tried again. */
#define LIMIT_PATTERN_SIZE (16 * KIB)
#define LIMIT_PATTERN_STEPS 1000000
#define LIMIT_PATTERN_DEPTH 10000
#define LIMIT_PATTERN_HEAP 16384
/* A jsonSchema's schemas within schemas; what one cell may ask of them (a GeoJSON of a million numbers, each looked at ten
 * times), and how deep they follow each other: a $ref may lead to itself. Past these the cell is undecided. */
#define LIMIT_JSON_SCHEMA_NODES 4096
#define LIMIT_JSON_SCHEMA_STEPS 10000000
#define LIMIT_JSON_SCHEMA_DEPTH 256
/* What one match of a pattern weighs: 100,000 strings a cell at most. */
#define LIMIT_JSON_SCHEMA_MATCH 100
/* Values of one enum, missing values, columns of a key. The longest published enum (communes) has 36,000. */
#define LIMIT_ENUM_VALUES 262144
/* Missing values, words for true and false: each field has its own list of them. */
#define LIMIT_TEXTS 1024
#define LIMIT_KEY_COLUMNS 64
#define LIMIT_TABLE_KEYS 256
/* Tables of other packages that one package's foreign keys lead to: each is read again whenever it or the package changes. */
#define LIMIT_REFERENCES 64
/* Versions of the datasets referred to that a verdict remembers its keys' fit with: what is in force, what comes, and some before. */
#define LIMIT_RESOLUTIONS 256
/* Breaks in all of these together, so that the verdict stays below LIMIT_JSON_SIZE. */
#define LIMIT_RESOLVED_BREAKS 4096
/* A map of columns (FORMAT.md 23): names that one field has had, bytes between the items of a list. country-codes, the table with
 * the most renames that we know, gave no field more than three. */
#define LIMIT_MAP_NAMES 64
#define LIMIT_MAP_SPLIT_SIZE 8
/* Custom checks of a schema, each of which costs a little of every row; a check's columns are bounded as a key's are. */
#define LIMIT_CUSTOM_CHECKS 1024
/* Bytes of an opening hours value: OpenStreetMap's own bound is 255 characters. */
#define LIMIT_OPENING_HOURS_SIZE 2048

/* Lines that say how a published schema was read otherwise than it is written; the largest (300 fields) has two for each
 * of its fields. More are counted. */
#define LIMIT_SCHEMA_WARNINGS 1024

/* Values of a JSON resource: each costs a parser about 150 bytes, so a parse stays under 256 MiB. */
#define LIMIT_JSON_VALUES 1000000

/* A patch (FORMAT.md 15): plain bytes of a segment, large enough that what two frames cost does not count; and its list of copies,
 * of which each makes at least eight bytes and takes at most fourteen. */
#define LIMIT_PATCH_SEGMENT_SIZE (16 * MIB)
#define LIMIT_PATCH_COPIES_SIZE (32 * MIB)

/* Versions, contracts, decisions. */
#define LIMIT_CONTRACTS 1024
#define LIMIT_BREAKS 1024
#define LIMIT_WAIVERS 4096

/* A version's history: what its role's metadata say of it (LIMIT_ROLE_SIZE), with our names of members; and how often it was put in force: a
 * rollback each. Of a dataset as many versions are remembered as one a day in 40 years: what is older and gone is forgotten. */
#define LIMIT_HISTORY_SIZE (4 * MIB)
#define LIMIT_HISTORY_SPANS 1024
#define LIMIT_HISTORY_VERSIONS 16384

/* The audit log. Its longest entry is a line of FAULT_LINE_SIZE, every byte escaped, with names and digests round it. A checkpoint of ours
 * has 300 bytes; one may carry the signatures of witnesses too. */
#define LIMIT_LOG_ENTRY_SIZE 4096
#define LIMIT_CHECKPOINT_SIZE (128 * KIB)

/* The link (FORMAT.md 29). Symbols of a block and blocks of a generation: the field has 256 elements, so 200 source symbols leave 56 rows of
 * repair; a burst spreads over 16 blocks. */
#define LIMIT_LINK_K 200
#define LIMIT_LINK_STRIPES 16
/* Source symbols of a generation; and their bytes, whatever the symbol's size: a receiver holds several generations in memory. */
#define LIMIT_LINK_SYMBOLS (LIMIT_LINK_K * LIMIT_LINK_STRIPES)
#define LIMIT_LINK_GENERATION_SIZE (LIMIT_LINK_SYMBOLS * 1408)
/* A symbol that fits an MTU of 9000 with all headers; symbols are of whole 8 bytes. */
#define LIMIT_LINK_SYMBOL_SIZE 8880
/* Repair symbols in percent of the source symbols: what the 56 rows of a full block give. */
#define LIMIT_LINK_PERCENT 28
/* What crosses is a bundle, or less. */
#define LIMIT_LINK_OBJECT_SIZE LIMIT_BUNDLE_SIZE
/* The largest object with the symbols of an MTU of 576 has 47,093. A receiver keeps a bit of each. */
#define LIMIT_LINK_GENERATIONS 65536
/* Sequence of a packet: never reached (at 100 million packets a second: in 2,900 years); its double and its half are exact everywhere. */
#define LIMIT_LINK_SEQUENCE (1ULL << 62)
/* Cycles of a carousel, and what a beacon counts: past any use, far from wrapping. */
#define LIMIT_LINK_CYCLE 1000000000
/* Times in milliseconds since 1970: until the year 9999. */
#define LIMIT_LINK_TIME 253402300799999ULL
/* A pack: small objects that cross as one; its list is read into memory. Members larger than this gain nothing by it. */
#define LIMIT_LINK_PACK_SIZE (4 * MIB)
#define LIMIT_LINK_PACK_MEMBERS 4096
#define LIMIT_LINK_PACK_MEMBER_SIZE (256 * KIB)
/* A test message that a person reads out on the telephone. */
#define LIMIT_LINK_TEXT_SIZE 200
/* A beacon with its IP and UDP headers, so that the silent link costs next to nothing. */
#define LIMIT_LINK_BEACON_SIZE 200
/* Probes: steps of a calibration, and packets of one. */
#define LIMIT_LINK_STEPS 64
#define LIMIT_LINK_PROBES 100000000
/* Bytes a second: past any wire that a process could fill. */
#define LIMIT_LINK_RATE 100000000000ULL
/* Ranges of generations that one line names; with more, the whole object is asked for. */
#define LIMIT_LINK_RANGES 256
/* A sender: files of one run or spool, which it may hold open (of 4,096 descriptors that it may have); bits a second, from a modem to a hundred
 * gigabits; MTU: IPv4's least that is forwarded whole, and the largest whose symbols are used; a class's weight in the carousel. */
#define LIMIT_SEND_FILES 3500
#define LIMIT_SEND_RATE_LEAST 100000
#define LIMIT_SEND_RATE 100000000000ULL
#define LIMIT_SEND_MTU_LEAST 576
#define LIMIT_SEND_MTU 9000
#define LIMIT_SEND_WEIGHT 1000
/* Links of one outside; a status names every object: 600 bytes each. A request to a sender is one line. */
#define LIMIT_SEND_LINKS 64
#define LIMIT_SEND_STATUS_SIZE (8 * MIB)
#define LIMIT_SEND_REQUEST_SIZE (4 * KIB)
#define LIMIT_SEND_ROUNDS 100
/* Reports that are kept, one an object, the oldest deleted first: a year of ten bundles a day. */
#define LIMIT_SEND_REPORTS 4096
/* A key file's exact size is fixed; this bounds what is read to find that it is another file. */
#define LIMIT_LINK_KEY_FILE_SIZE 1024

/* The receiver (FORMAT.md 30). All of its memory is 64 MiB: the ring, six generations (LIMIT_LINK_GENERATION_SIZE each), one more while a damaged
 * object is looked at again, and what is below. */
#define LIMIT_RECEIVE_RING (8 * MIB)
#define LIMIT_RECEIVE_SLOTS 6
/* Of these so many may be open: two that packets in another order fill by turns, and the next; the others are being written or hashed. */
#define LIMIT_RECEIVE_SLOTS_OPEN 3
/* Senders that are known at a time: the newest, one that was restarted, people's tests beside it. */
#define LIMIT_RECEIVE_SESSIONS 8
/* Packets of a session that may come in another order, or twice, and are told apart from lost ones. */
#define LIMIT_RECEIVE_WINDOW 16384
/* Objects that have begun to arrive: a carousel of a thousand bundles of which none is whole yet. */
#define LIMIT_RECEIVE_OBJECTS 1024
/* Files that were delivered and are not taken again; and seconds after which one that is no longer there is: somebody asked for it. */
#define LIMIT_RECEIVE_DELIVERED 4096
#define LIMIT_RECEIVE_DELIVERED_AGE 3600
/* Generations that are remembered after they left their slot, until late packets have told their margin. */
#define LIMIT_RECEIVE_TALLIES 32
/* Report files that are kept, the newest. */
#define LIMIT_RECEIVE_REPORTS 1024
/* The kernel's buffer that is asked for: a tenth of a second at 300 MB/s. */
#define LIMIT_RECEIVE_KERNEL_BUFFER (32 * MIB)

/* Rows (FORMAT.md 33). What SQLite makes of a table: a column more than Debian's SQLite takes is one that is not there; indexes beside that of
 * the primary key; and the database's size in bytes for each of the plain files' (an integer of one digit in many narrow columns). */
#define LIMIT_ROWS_COLUMNS 1999
#define LIMIT_ROWS_INDEXES 32
#define LIMIT_ROWS_GROWTH 8
/* Unnamed files that SQLite sorts in past its memory: of one index at most two at a time, and two for what it may want beside. */
#define LIMIT_ROWS_SPILLS 4
/* A question: filters, values of one filter, columns to sort by, and the SQL that comes of them; all names of the widest table, quoted. */
#define LIMIT_ROWS_FILTERS 256
#define LIMIT_ROWS_SORTS 8
/* Rows whose numbers are kept in memory, for an order or because an index gave them: 800 KB an answer. The bytes of one answer: a whole table of three million
 * rows; what is larger is asked for as a file. */
#define LIMIT_ROWS_SORTED 100000
#define LIMIT_ROWS_ANSWER (1 * GIB)
#define LIMIT_ROWS_SQL_SIZE (1 * MIB)
/* Readers (FORMAT.md 34). Views and keys: one for each of the 34,945 communes; each entry then has 400 bytes at most for LIMIT_JSON_SIZE. A view's filters: one a
 * resource of a large package. Texts (a view's title, a column, a value, a key's owner) with their NUL. A licence is read before it is accepted. */
#define LIMIT_ACCESS_VIEWS 40000
#define LIMIT_ACCESS_KEYS 40000
#define LIMIT_ACCESS_FILTERS 64
#define LIMIT_ACCESS_LICENCES 64
#define LIMIT_ACCESS_TEXT_SIZE 256
#define LIMIT_ACCESS_LICENCE_SIZE (4 * MIB)
/* Requests a minute, and at once: past what one host answers. */
#define LIMIT_ACCESS_RATE 10000000
/* Keys and addresses whose rate is remembered at a time: 3 MiB. Past them the one that was heard longest ago of eight is forgotten, which gives it a full bucket. */
#define LIMIT_ACCESS_BUCKETS 65536
/* One line of the access log: a path, a user agent and columns of an ordinary request whole, longer ones cut. What waits to be written, in two halves: a quarter of
 * a second at 80,000 requests, which is more than one host answers. Past it lines are lost, and counted. */
#define LIMIT_ACCESSLOG_LINE_SIZE 4096
#define LIMIT_ACCESSLOG_BUFFER (16 * MIB)
/* Columns that one line names; a request that names more counts as of all. */
#define LIMIT_ACCESSLOG_COLUMNS 64
/* Months that the access log may be kept: what no law asks for is not kept for ever. */
#define LIMIT_ACCESSLOG_MONTHS 120
/* What `usage` sums: readers times datasets, and the columns that were asked of each dataset. */
#define LIMIT_USAGE_ROWS 65536
#define LIMIT_USAGE_COLUMNS 65536
/* Hooks of one folder; what one may say, in bytes: the last thing a person needs of a broken one. */
#define LIMIT_HOOKS 64
#define LIMIT_HOOK_OUTPUT 4096
/* Readers (FORMAT.md 32). A request's target: a dataset, a file and a dozen filters are 500 bytes; browsers send up to 8 KiB. */
#define LIMIT_SERVE_TARGET_SIZE (4 * KIB)
/* All of a request's head: what libmicrohttpd may keep of a connection, where the answer's head has to fit too. */
#define LIMIT_SERVE_HEAD_SIZE (16 * KIB)
/* A header that is read: browsers' longest is User-Agent or Accept, 300 bytes. */
#define LIMIT_SERVE_HEADER_SIZE (2 * KIB)
/* /views/NAME/generations/N/datasets/NAME/RESOURCE.csv are seven. */
#define LIMIT_SERVE_SEGMENTS 8
/* A filter on each of some columns, and the names of ours. */
#define LIMIT_SERVE_PARAMS 64
/* Seconds within which a request's head must be there, counted from the connection's begin or the answer before; of silence in an answer;
 * and after how many a reader must have taken LIMIT_SERVE_PACE bytes a second on the whole. */
#define LIMIT_SERVE_HEAD_TIME 60
#define LIMIT_SERVE_IDLE_TIME 120
#define LIMIT_SERVE_PACE_TIME 60
#define LIMIT_SERVE_PACE 1024
/* Connections at once that a configuration may ask for: each has a descriptor (4,096 a process, sandbox.c), and an open file beside it. */
#define LIMIT_SERVE_CONNECTIONS 1536
#define LIMIT_SERVE_THREADS 64
#define LIMIT_SERVE_LISTEN 8
/* Generations that are open at once beside the current one: pinned readers of some days. */
#define LIMIT_SERVE_SETS 16
/* Files up to this size are kept in memory, so many bytes of them in all, encoded ones too: what is asked for ten thousand times a second. */
#define LIMIT_SERVE_CACHED_FILE (256 * KIB)
#define LIMIT_SERVE_CACHE (16 * MIB)
/* Bodies that are encoded while they are sent: 2 MiB each. More at once go as they are. */
#define LIMIT_SERVE_ENCODERS 16

/* Who listens for events at once (each has a connection of LIMIT_SERVE_CONNECTIONS); seconds after which a listener is let go, to be asked anew whether it
 * may still listen; seconds between signs of life (proxies let go of what is silent for 30 or 60); generations that one that comes back may have
 * missed, past which it is told to read anew. */
#define LIMIT_EVENT_LISTENERS 256
#define LIMIT_EVENT_LISTEN_TIME 900
#define LIMIT_EVENT_BEAT 15
#define LIMIT_EVENT_RESUME 64

#endif
