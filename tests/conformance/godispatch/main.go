// Answers requests of the JSON protocol from standard input through the Go package: see dispatch_driver.c.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	stator "github.com/statordb/stator/go"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	ctx := context.Background()
	in, out := bufio.NewReaderSize(os.Stdin, 1<<20), bufio.NewWriter(os.Stdout)
	var db *stator.DB
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			break
		}
		operation, body, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte("\t"))
		var status int
		var answer []byte
		switch text := string(operation); {
		case text == "!new":
			if db != nil {
				check(db.Close())
			}
			db, err = stator.Open(":memory:", nil)
			check(err)
		case strings.HasPrefix(text, "!clock "):
			us, err := strconv.ParseInt(text[len("!clock "):], 10, 64)
			check(err)
			check(db.MoveClock(ctx, time.Duration(us)*time.Microsecond))
		default:
			status, answer, err = db.Dispatch(ctx, text, body)
			check(err)
		}
		fmt.Fprintf(out, "%d\t%s\n", status, answer)
		check(out.Flush())
	}
	if db != nil {
		check(db.Close())
	}
}
