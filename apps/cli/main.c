/* stator: the command line of a database. */
#include "cli.h"

#include <signal.h>
#include <string.h>

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_DFL); /* `stator scan ... | head` ends quietly */
    if (argc < 2) {
        cli_print_usage(stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        const cli_command *asked = argc > 2 ? cli_command_find(argv[2]) : NULL;
        if (asked) {
            cli_print_help(stdout, asked);
        } else {
            cli_print_usage(stdout);
        }
        return CLI_OK;
    }
    if (strcmp(name, "--version") == 0) {
        printf("stator %s\n", stator_version());
        return CLI_OK;
    }
    const cli_command *command = cli_command_find(name);
    if (!command) {
        cli_complain("'%s' is not a command; stator --help lists them", name);
        return CLI_USAGE;
    }
    cli_arguments arguments;
    int code = cli_arguments_parse(command, argc - 1, argv + 1, &arguments);
    return code == CLI_OK ? command->run(&arguments) : code;
}
