/* The numbers of request and result frames, for who encodes or decodes them in C.
 * docs/formats/request.md, result.md. */
#ifndef STATOR_TABLE_FRAME_H
#define STATOR_TABLE_FRAME_H

#define ST_FRAME_VERSION 1

enum {
    ST_REQUEST_CREATE_TABLE = 1,
    ST_REQUEST_DESCRIBE_TABLE = 2,
    ST_REQUEST_LIST_TABLES = 3,
    ST_REQUEST_DELETE_TABLE = 4,
    ST_REQUEST_PUT = 5,
    ST_REQUEST_GET = 6,
    ST_REQUEST_DELETE = 7,
    ST_REQUEST_BATCH_WRITE = 8,
    ST_REQUEST_BATCH_GET = 9,
    ST_REQUEST_QUERY = 10,
    ST_REQUEST_SCAN = 11,
    ST_REQUEST_UPDATE = 12,
    ST_REQUEST_CHECK = 13, /* a condition on an item, in a transaction */
    ST_REQUEST_TRANSACT_WRITE = 14,
    ST_REQUEST_TRANSACT_GET = 15,
    ST_REQUEST_ALTER_TABLE = 16,
    ST_REQUEST_STREAM_READ = 17,
    ST_REQUEST_STATEMENT = 32, /* results only: what partiql answers */
    ST_REQUEST_STATEMENT_BATCH = 33,
    ST_REQUEST_STATEMENT_TRANSACTION = 34,
};

enum {
    ST_FIELD_TABLE_NAME = 1,
    ST_FIELD_TABLE_ID = 2,
    ST_FIELD_KEY = 3,
    ST_FIELD_ITEM = 4,
    ST_FIELD_DURABILITY = 5,
    ST_FIELD_DEADLINE = 6,
    ST_FIELD_FLAGS = 7,
    ST_FIELD_SCHEMA = 8,
    ST_FIELD_PARTITION = 9,
    ST_FIELD_LIMIT = 10,
    ST_FIELD_SORT = 11,
    ST_FIELD_PAGE_ITEMS = 12,
    ST_FIELD_PAGE_BYTES = 13,
    ST_FIELD_START_AFTER = 14,
    ST_FIELD_SEGMENT = 15,
    ST_FIELD_ITEM_VERSION = 16,
    ST_FIELD_ENTRY = 17,
    ST_FIELD_MUST_UNDERSTAND = 128, /* unknown numbers from here on are refused */
    ST_FIELD_CONDITION = 128,       /* texts of expressions */
    ST_FIELD_UPDATE = 129,
    ST_FIELD_FILTER = 130,
    ST_FIELD_PROJECTION = 131,
    ST_FIELD_KEY_CONDITION = 132,
    ST_FIELD_NAMES = 133,  /* M of S: what "#name" stands for */
    ST_FIELD_VALUES = 134, /* M: what ":value" stands for */
    ST_FIELD_INDEX = 135,
    ST_FIELD_RETURNS = 136,
    ST_FIELD_DEFINITION = 137,
    ST_FIELD_EXPECTED_DEFINITION = 138,
    ST_FIELD_TOKEN = 139,     /* of a transaction: what makes a repetition harmless */
    ST_FIELD_START_KEY = 140, /* M: the attributes of the key to start behind */
    ST_FIELD_CAPACITY = 141,
    ST_FIELD_SELECT = 142,
};

enum {
    ST_RETURNS_NONE = 0,
    ST_RETURNS_ALL_OLD = 1,
    ST_RETURNS_UPDATED_OLD = 2,
    ST_RETURNS_ALL_NEW = 3,
    ST_RETURNS_UPDATED_NEW = 4,
};

enum {
    ST_SELECT_DEFAULT = 0,        /* what the table or index holds, or the projection */
    ST_SELECT_ALL_ATTRIBUTES = 1, /* of an index: goes back to the table if it must */
    ST_SELECT_COUNT = 2,
};

/* The fields of a definition: docs/formats/catalog.md. */
enum {
    ST_DEFINITION_SCHEMA = 1,
    ST_DEFINITION_INDEX = 2, /* any number */
    ST_DEFINITION_TTL = 3,
    ST_DEFINITION_STREAM = 4,
    ST_DEFINITION_FLAGS = 5,
    ST_DEFINITION_EXTRA = 6, /* kept for the caller, not looked at */
    ST_DEFINITION_IDENTITY = 7,
};

enum {
    ST_DEFINITION_INDEX_NAME = 1,
    ST_DEFINITION_INDEX_KIND = 2,
    ST_DEFINITION_INDEX_SCHEMA = 3,
    ST_DEFINITION_INDEX_PROJECTION = 4,
    ST_DEFINITION_INDEX_INCLUDE = 5, /* any number */
    ST_DEFINITION_INDEX_ID = 6,
    ST_DEFINITION_INDEX_STATE = 7,
    ST_DEFINITION_INDEX_EXTRA = 8,
};

enum { ST_INDEX_LOCAL = 1, ST_INDEX_GLOBAL = 2 };
enum { ST_PROJECT_ALL = 1, ST_PROJECT_KEYS_ONLY = 2, ST_PROJECT_INCLUDE = 3 };
enum { ST_INDEX_ACTIVE = 1, ST_INDEX_FILLING = 2 };
/* Flags. TTL_FILLING: rows that were there before have no expiry entries yet. */
enum { ST_DEFINITION_PROTECTED = 1, ST_DEFINITION_TTL_FILLING = 2 };
enum {
    ST_STREAM_OFF = 0,
    ST_STREAM_KEYS_ONLY = 1,
    ST_STREAM_NEW_IMAGE = 2,
    ST_STREAM_OLD_IMAGE = 3,
    ST_STREAM_NEW_AND_OLD_IMAGES = 4,
};

enum {
    ST_FLAG_CACHED_ONLY = 1,
    ST_FLAG_CONSISTENT = 2,
    ST_FLAG_RETURN_OLD = 4,
    ST_FLAG_REVERSE = 8,
    ST_FLAG_SNAPSHOT = 16,
    ST_FLAG_ENSURE = 32,
    ST_FLAG_RETURN_ON_FAILURE = 64, /* a failed condition gives the item it saw */
    ST_FLAG_EXACT_PAGES = 128,      /* pages end where the service's do, by DynamoDB's sizes */
    ST_FLAG_LAST_KEY_ITEM = 256,    /* pages give the attributes of their last key */
    ST_FLAG_ABSENT_IS_FINE = 512,   /* a delete: an absent item fails no condition */
};

enum {
    ST_SORT_EQUAL = 1,
    ST_SORT_LESS = 2,
    ST_SORT_AT_MOST = 3,
    ST_SORT_GREATER = 4,
    ST_SORT_AT_LEAST = 5,
    ST_SORT_BETWEEN = 6,
    ST_SORT_BEGINS_WITH = 7,
};

enum {
    ST_RESULT_ITEM = 1,
    ST_RESULT_ITEMS = 2,
    ST_RESULT_LAST_KEY = 3,
    ST_RESULT_SEQUENCE = 4,
    ST_RESULT_TABLE = 5,
    ST_RESULT_NAMES = 6,
    ST_RESULT_OLD_ITEM = 7,
    ST_RESULT_SCANNED = 8,
    ST_RESULT_NEW_ITEM = 9,
    ST_RESULT_CAPACITY = 10,
    ST_RESULT_COUNT = 11,
    ST_RESULT_LAST_KEY_ITEM = 12, /* frame */
    ST_RESULT_DEFINITION = 13,
    ST_RESULT_COLLECTION_KEY = 14, /* frame: the partition key of an item collection */
    ST_RESULT_RECORDS = 15,
    ST_RESULT_REPLAYED = 16, /* a transaction's token was known: nothing was written */
    ST_RESULT_MEMBERS = 17,  /* of a batch of statements */
};

/* One reason of a cancelled transaction, in the detail of its error. */
enum {
    ST_REASON_NONE = 0,
    ST_REASON_CONDITION = 1,
    ST_REASON_VALIDATION = 2,
    ST_REASON_CONFLICT = 3,
    ST_REASON_DUPLICATE = 4, /* statements only: an insert found its key */
    ST_REASON_NO_TABLE = 5,  /* statements only */
};

#endif
