/* Words and options of one command, parsed with getopt_long from its row in the table. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const cli_option *args_option(const cli_command *command, int id)
{
    for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].id; i++) {
        if ((int)command->options[i].id == id || command->options[i].letter == id) {
            return &command->options[i];
        }
    }
    return NULL;
}

static bool args_is_legal(const cli_option *option, const char *value)
{
    if (!option->values) {
        return true;
    }
    size_t length = strlen(value);
    for (const char *at = option->values; length > 0 && (at = strstr(at, value)) != NULL;
         at += length) {
        bool begins = at == option->values || at[-1] == ' ';
        if (begins && (at[length] == ' ' || at[length] == '\0')) {
            return true;
        }
    }
    cli_complain("--%s: '%s' is none of: %s", option->name, value, option->values);
    return false;
}

static void args_tables(const cli_command *command, struct option *longs, char *shorts)
{
    size_t at = 0;
    shorts[at++] = ':';
    shorts[at++] = 'h';
    int count = 0;
    longs[count++] = (struct option){"help", no_argument, NULL, 'h'};
    for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].id; i++) {
        const cli_option *option = &command->options[i];
        longs[count++] = (struct option){
            option->name, option->value ? required_argument : no_argument, NULL, (int)option->id};
        if (option->letter) {
            shorts[at++] = option->letter;
            if (option->value) {
                shorts[at++] = ':';
            }
        }
    }
    longs[count] = (struct option){0};
    shorts[at] = '\0';
}

int cli_arguments_parse(const cli_command *command, int argc, char **argv,
                        cli_arguments *out_arguments)
{
    struct option longs[CLI_OPTIONS_MAX + 2];
    char shorts[2 * CLI_OPTIONS_MAX + 4];
    args_tables(command, longs, shorts);
    *out_arguments = (cli_arguments){0};
    opterr = 0;
    optind = 1;
    int id;
    while ((id = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (id == 'h') {
            cli_print_help(stdout, command);
            exit(CLI_OK);
        }
        const cli_option *option = id == '?' || id == ':' ? NULL : args_option(command, id);
        if (!option) {
            cli_complain("%s %s; see stator %s --help", argv[optind - 1],
                         id == ':' ? "needs a value" : "is not an option here", command->name);
            return CLI_USAGE;
        }
        if (option->value && !args_is_legal(option, optarg)) {
            return CLI_USAGE;
        }
        out_arguments->values[option->id] = option->value ? optarg : "";
    }
    bool takes_more = command->word_count < 0;
    int count = takes_more ? -command->word_count : command->word_count;
    if (argc - optind < count || (!takes_more && argc - optind > count)) {
        cli_complain("expected: stator %s %s; see stator %s --help", command->name, command->words,
                     command->name);
        return CLI_USAGE;
    }
    for (int i = optind; i < optind + count; i++) {
        out_arguments->words[out_arguments->word_count++] = argv[i];
    }
    out_arguments->more = argv + optind + count;
    out_arguments->more_count = argc - optind - count;
    return CLI_OK;
}

bool cli_number(const char *text, uint64_t at_least, uint64_t *out_number)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number < at_least) {
        cli_complain("'%s' is not a whole number of at least %llu", text,
                     (unsigned long long)at_least);
        return false;
    }
    *out_number = number;
    return true;
}
