/* Help, the manual page and shell completion, all made from the table of commands. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

void cli_print_usage(FILE *to)
{
    fprintf(to, "stator %s: DynamoDB's data model in your process\n\nusage: stator COMMAND ...\n\n",
            stator_version());
    for (const cli_command *command = cli_commands; command->name; command++) {
        fprintf(to, "  %-11s %s\n", command->name, command->summary);
    }
    fprintf(to,
            "\nstator COMMAND --help shows one command with an example. DB is a directory.\nexit "
            "codes: %s\n",
            cli_exit_codes);
}

static void describe_option(char *text, size_t size, const cli_option *option)
{
    if (option->letter) {
        snprintf(text, size, "-%c, --%s%s%s", option->letter, option->name,
                 option->value ? " " : "", option->value ? option->value : "");
    } else {
        snprintf(text, size, "    --%s%s%s", option->name, option->value ? " " : "",
                 option->value ? option->value : "");
    }
}

void cli_print_help(FILE *to, const cli_command *command)
{
    fprintf(to, "usage: stator %s%s%s [options]\n\n%s\n\n", command->name,
            command->words[0] ? " " : "", command->words, command->summary);
    char text[96];
    for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].id; i++) {
        const cli_option *option = &command->options[i];
        describe_option(text, sizeof text, option);
        fprintf(to, "  %-26s %s%s%s%s\n", text, option->help, option->values ? " (" : "",
                option->values ? option->values : "", option->values ? ")" : "");
    }
    fprintf(to, "  -h, --help                 this page\n\nexample:\n  %s\n", command->example);
}

/* ---- manual page ------------------------------------------------------------------------ */

static void describe_roff(const char *text)
{
    if (*text == '.' || *text == '\'') {
        fputs("\\&", stdout);
    }
    for (; *text; text++) {
        fputs(*text == '-' ? "\\-" : *text == '\\' ? "\\e" : "", stdout);
        if (*text != '-' && *text != '\\') {
            putchar(*text);
        }
    }
}

int cli_run_man(const cli_arguments *arguments)
{
    (void)arguments;
    printf(".TH STATOR 1 \"\" \"stator %s\" \"User Commands\"\n.SH NAME\nstator \\- DynamoDB's "
           "data model in your process\n"
           ".SH SYNOPSIS\n.B stator\n.I COMMAND\n.RI [ options ]\n.SH COMMANDS\n",
           stator_version());
    char text[96];
    for (const cli_command *command = cli_commands; command->name; command++) {
        printf(".SS \"stator %s %s\"\n", command->name, command->words);
        describe_roff(command->summary);
        puts(".");
        for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].id; i++) {
            describe_option(text, sizeof text, &command->options[i]);
            fputs(".TP\n.B ", stdout);
            describe_roff(text + strspn(text, " "));
            putchar('\n');
            describe_roff(command->options[i].help);
            if (command->options[i].values) {
                fputs(" (", stdout);
                describe_roff(command->options[i].values);
                putchar(')');
            }
            putchar('\n');
        }
        fputs(".PP\n.nf\n", stdout);
        describe_roff(command->example);
        fputs("\n.fi\n", stdout);
    }
    puts(".SH EXIT STATUS");
    describe_roff(cli_exit_codes);
    puts(".\n.SH ENVIRONMENT\n.TP\n.B NO_COLOR\nWhen set and not empty, nothing is colored.");
    return CLI_OK;
}

/* ---- completion ------------------------------------------------------------------------- */

static void describe_bash(void)
{
    puts("_stator() {\n    local current=${COMP_WORDS[COMP_CWORD]} "
         "previous=${COMP_WORDS[COMP_CWORD-1]} words=\n"
         "    if [ \"$COMP_CWORD\" = 1 ]; then\n        words=\"");
    for (const cli_command *command = cli_commands; command->name; command++) {
        printf("%s ", command->name);
    }
    puts("\"\n    else\n        case \"${COMP_WORDS[1]} $previous\" in");
    for (const cli_command *command = cli_commands; command->name; command++) {
        for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].id; i++) {
            if (command->options[i].values) {
                printf("            \"%s --%s\") words=\"%s\" ;;\n", command->name,
                       command->options[i].name, command->options[i].values);
            }
        }
    }
    puts("            *) case \"${COMP_WORDS[1]} $current\" in");
    for (const cli_command *command = cli_commands; command->name; command++) {
        printf("                \"%s -\"*) words=\"--help", command->name);
        for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].id; i++) {
            printf(" --%s", command->options[i].name);
        }
        puts("\" ;;");
    }
    puts(
        "            esac ;;\n        esac\n    fi\n    if [ -n \"$words\" ]; then\n"
        "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n    else\n"
        "        COMPREPLY=($(compgen -f -- \"$current\"))\n    fi\n}\ncomplete -F _stator stator");
}

static void describe_quoted(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", stdout);
        } else {
            putchar(*text);
        }
    }
}

static void describe_fish(void)
{
    for (const cli_command *command = cli_commands; command->name; command++) {
        printf("complete -c stator -n __fish_use_subcommand -a %s -d '", command->name);
        describe_quoted(command->summary);
        puts("'");
        for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].id; i++) {
            const cli_option *option = &command->options[i];
            printf("complete -c stator -n '__fish_seen_subcommand_from %s' -l %s", command->name,
                   option->name);
            if (option->letter) {
                printf(" -s %c", option->letter);
            }
            if (option->value) {
                fputs(" -r", stdout);
            }
            if (option->values) {
                printf(" -f -a '%s'", option->values);
            }
            fputs(" -d '", stdout);
            describe_quoted(option->help);
            puts("'");
        }
    }
}

static void describe_zsh(void)
{
    puts("#compdef stator\n_stator() {\n    local -a commands=(");
    for (const cli_command *command = cli_commands; command->name; command++) {
        printf("        '%s:", command->name);
        describe_quoted(command->summary);
        puts("'");
    }
    puts("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        "
         "return\n    fi\n"
         "    case ${words[2]} in");
    for (const cli_command *command = cli_commands; command->name; command++) {
        printf("        %s) _arguments '*:file:_files'", command->name);
        for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].id; i++) {
            const cli_option *option = &command->options[i];
            printf(" '--%s%s", option->name, option->value ? ":" : "");
            if (option->value) {
                printf("%s:", option->value);
            }
            if (option->values) {
                printf("(%s)", option->values);
            }
            putchar('\'');
        }
        puts(" ;;");
    }
    puts("    esac\n}\n_stator \"$@\"");
}

int cli_run_completion(const cli_arguments *arguments)
{
    const char *shell = arguments->words[0];
    if (strcmp(shell, "bash") == 0) {
        describe_bash();
    } else if (strcmp(shell, "zsh") == 0) {
        describe_zsh();
    } else if (strcmp(shell, "fish") == 0) {
        describe_fish();
    } else {
        cli_complain("completion: '%s' is none of: bash zsh fish", shell);
        return CLI_USAGE;
    }
    return CLI_OK;
}
