/* Every word of the command line, once: help, man page and completion are made from this table. */
#include "cli.h"

#include <string.h>

#define CLI_OUTPUT_OPTION                                                    \
    {                                                                        \
        CLI_OPT_OUTPUT, "output", 'o', "FORMAT", "table json dynamodb-json", \
            "how items are printed; table on a terminal, json elsewhere"     \
    }
#define CLI_DURABILITY_OPTION                                                           \
    {                                                                                   \
        CLI_OPT_DURABILITY, "durability", 0, "LEVEL", "sync interval none",             \
            "what a write waits for: the disk (sync, the default), a timer, or nothing" \
    }
#define CLI_CONDITION_OPTION                                     \
    {                                                            \
        CLI_OPT_CONDITION, "condition", 'c', "EXPRESSION", NULL, \
            "only if this ConditionExpression holds"             \
    }
#define CLI_NAMES_OPTION                                                                \
    {                                                                                   \
        CLI_OPT_NAMES, "names", 0, "JSON", NULL, "what #name stands for in expressions" \
    }
#define CLI_VALUES_OPTION                                                   \
    {                                                                       \
        CLI_OPT_VALUES, "values", 0, "JSON", NULL,                          \
            "what :value stands for in expressions, plain or DynamoDB JSON" \
    }

const char cli_exit_codes[] =
    "0 done; 1 the operation failed; 2 wrong words on the command line; 3 get: no such item; "
    "4 import: some rows were refused; 5 verify, inspect: damage was found; "
    "6 call: the answer is an error of the caller (400)";

const cli_command cli_commands[] = {
    {"create",
     "DB TABLE",
     2,
     "make a table (and the database, if it is missing)",
     "stator create shop.stator movies --partition title:S --sort year:N",
     cli_run_create,
     {{CLI_OPT_PARTITION, "partition", 'p', "NAME:TYPE", NULL,
       "the partition key; TYPE is S, N or B"},
      {CLI_OPT_SORT, "sort", 's', "NAME:TYPE", NULL, "the sort key, if the table has one"}}},
    {"tables",
     "DB",
     1,
     "list the tables with their keys",
     "stator tables shop.stator",
     cli_run_tables,
     {{0}}},
    {"put",
     "DB TABLE JSON",
     3,
     "write one item (plain or DynamoDB JSON; - reads standard input)",
     "stator put shop.stator movies '{\"title\": \"Alien\", \"year\": 1979}'",
     cli_run_put,
     {CLI_CONDITION_OPTION, CLI_NAMES_OPTION, CLI_VALUES_OPTION, CLI_DURABILITY_OPTION}},
    {"get",
     "DB TABLE JSON",
     3,
     "print the item with this key",
     "stator get shop.stator movies '{\"title\": \"Alien\", \"year\": 1979}'",
     cli_run_get,
     {CLI_OUTPUT_OPTION}},
    {"delete",
     "DB TABLE JSON",
     3,
     "delete the item with this key",
     "stator delete shop.stator movies '{\"title\": \"Alien\", \"year\": 1979}'",
     cli_run_delete,
     {CLI_CONDITION_OPTION, CLI_NAMES_OPTION, CLI_VALUES_OPTION, CLI_DURABILITY_OPTION}},
    {"update",
     "DB TABLE KEY EXPRESSION",
     4,
     "change the item with this key by an UpdateExpression",
     "stator update shop.stator movies '{\"title\": \"Alien\", \"year\": 1979}' \\\n"
     "      'SET rating = :r' --values '{\":r\": 8.5}' --returns all-new",
     cli_run_update,
     {CLI_CONDITION_OPTION,
      CLI_NAMES_OPTION,
      CLI_VALUES_OPTION,
      {CLI_OPT_RETURNS, "returns", 0, "WHICH", "all-new all-old updated-new updated-old",
       "print the item, or what changed of it, as it is after or was before"},
      CLI_OUTPUT_OPTION,
      CLI_DURABILITY_OPTION}},
    {"sql",
     "DB STATEMENT [PARAMETER ...]",
     -2,
     "run one PartiQL statement; parameters are plain JSON (-- goes before those that begin with "
     "-)",
     "stator sql shop.stator 'SELECT * FROM movies WHERE title = ?' '\"Alien\"'",
     cli_run_sql,
     {CLI_OUTPUT_OPTION, CLI_DURABILITY_OPTION}},
    {"call",
     "DB OPERATION JSON",
     3,
     "answer one request of the DynamoDB JSON protocol (- reads standard input)",
     "stator call shop.stator DescribeTable '{\"TableName\": \"movies\"}'",
     cli_run_call,
     {{CLI_OPT_LAYER, "layer", 0, "LAYER", "current old new",
       "the wording of refusals; current (the default) is what most regions answer"},
      {CLI_OPT_REGION, "region", 0, "NAME", NULL, "the region in ARNs; us-east-1 by default"},
      {CLI_OPT_ACCOUNT, "account", 0, "DIGITS", NULL,
       "the account in ARNs; 000000000000 by default"}}},
    {"query",
     "DB TABLE PARTITION",
     3,
     "print the items of one partition, in the order of the sort key",
     "stator query shop.stator movies Alien --sort '>= 1970' --limit 10",
     cli_run_query,
     {{CLI_OPT_SORT, "sort", 's', "CONDITION", NULL,
       "'= X', '< X', '<= X', '> X', '>= X', 'between X Y' or 'begins_with X'"},
      {CLI_OPT_LIMIT, "limit", 'n', "N", NULL, "at most N items"},
      {CLI_OPT_REVERSE, "reverse", 'r', NULL, NULL, "descending"},
      CLI_OUTPUT_OPTION}},
    {"scan",
     "DB TABLE",
     2,
     "print all items",
     "stator scan shop.stator movies --segments 4 -o json",
     cli_run_scan,
     {{CLI_OPT_SEGMENTS, "segments", 0, "N", NULL,
       "read N parts in parallel; their items come mixed"},
      {CLI_OPT_LIMIT, "limit", 'n', "N", NULL, "at most N items"},
      CLI_OUTPUT_OPTION}},
    {"import",
     "DB TABLE FILE",
     3,
     "write the items of a file into a table (- reads standard input; .gz is fine)",
     "stator import shop.stator movies movies.json",
     cli_run_import,
     {{CLI_OPT_FORMAT, "format", 'f', "FORMAT", "auto dynamodb json csv",
       "auto (the default) tells DynamoDB JSON, plain JSON and CSV apart"},
      {CLI_OPT_STRICT, "strict", 0, NULL, NULL, "stop at the first row that is refused"},
      CLI_DURABILITY_OPTION}},
    {"export",
     "DB TABLE",
     2,
     "write all items to standard output, one a line, as import reads them",
     "stator export shop.stator movies -o dynamodb-json > movies.json",
     cli_run_export,
     {{CLI_OPT_OUTPUT, "output", 'o', "FORMAT", "json dynamodb-json",
       "dynamodb-json (the default) keeps every type"}}},
    {"stats",
     "DB",
     1,
     "print what the database holds and has done",
     "stator stats shop.stator",
     cli_run_stats,
     {{0}}},
    {"verify",
     "DB",
     1,
     "read and check every byte of every file",
     "stator verify shop.stator",
     cli_run_verify,
     {{0}}},
    {"inspect",
     "FILE",
     1,
     "print a log, manifest, sorted file or item frame in words",
     "stator inspect shop.stator/CURRENT",
     cli_run_inspect,
     {{0}}},
    {"completion",
     "SHELL",
     1,
     "print the completion script of bash, zsh or fish",
     "stator completion bash > /etc/bash_completion.d/stator",
     cli_run_completion,
     {{0}}},
    {"man", "", 0, "print the manual page", "stator man | man -l -", cli_run_man, {{0}}},
    {NULL, NULL, 0, NULL, NULL, NULL, {{0}}},
};

const cli_command *cli_command_find(const char *name)
{
    for (const cli_command *command = cli_commands; command->name; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}
