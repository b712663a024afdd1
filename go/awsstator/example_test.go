package awsstator_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	stator "github.com/statordb/stator/go"
	"github.com/statordb/stator/go/awsstator"
)

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// A program that knows DynamoDB alone, on a database in this process.
func Example() {
	ctx := context.Background()
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	client := dynamodb.NewFromConfig(awsstator.Config(db))
	must(client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            aws.String("movies"),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("title"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("title"), KeyType: types.KeyTypeHash}},
	}))
	must(client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("movies"), Item: map[string]types.AttributeValue{
		"title": &types.AttributeValueMemberS{Value: "Alien"}, "year": &types.AttributeValueMemberN{Value: "1979"}}}))

	// The same table by the package's own calls.
	movies := must(db.OpenTable(ctx, "movies"))
	item, found, err := stator.Get[stator.Item](ctx, movies, "Alien")
	fmt.Println(item["year"], found, err)
	// Output: 1979 true <nil>
}
