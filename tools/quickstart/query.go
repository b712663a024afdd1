// The quickstart's query in Go: the languages whose reference name begins with "Old", as lines "alpha_3 name".
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	stator "github.com/statordb/stator/go"
)

type language struct {
	Alpha3 string `dynamodbav:"alpha_3"`
	Name   string `dynamodbav:"name"`
}

func main() {
	db, err := stator.Open(os.Args[1], &stator.Options{ReadOnly: true, MustExist: true})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	table, err := db.OpenTable(context.Background(), "languages")
	if err != nil {
		log.Fatal(err)
	}
	for l, err := range stator.Query[language](context.Background(), table, "I", stator.Sort(stator.BeginsWith("Old"))) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(l.Alpha3, l.Name)
	}
}
