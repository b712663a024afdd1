package awsstator_test

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"
	stator "github.com/statordb/stator/go"
	"github.com/statordb/stator/go/awsstator"
)

var ctx = context.Background()

func open(t *testing.T) *stator.DB {
	t.Helper()
	db, err := stator.Open(":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func request(t *testing.T, target, body string) *http.Request {
	t.Helper()
	made, err := http.NewRequest("POST", "http://stator.invalid/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	made.Header.Set("X-Amz-Target", target)
	return made
}

func TestAnAnswerHasTheServicesHeaders(t *testing.T) {
	client := awsstator.Config(open(t)).HTTPClient
	ids := map[string]bool{}
	for range 2 {
		answer, err := client.Do(request(t, "DynamoDB_20120810.Fly", "{}"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != 400 || !bytes.Contains(body, []byte("UnknownOperationException")) {
			t.Fatal(answer.Status, string(body), err)
		}
		if answer.Header.Get("X-Amz-Crc32") != strconv.Itoa(int(crc32.ChecksumIEEE(body))) || answer.ContentLength != int64(len(body)) {
			t.Fatal(answer.Header, answer.ContentLength)
		}
		id := answer.Header.Get("x-amzn-RequestId")
		if !regexp.MustCompile(`^[A-Z0-9]{52}$`).MatchString(id) || ids[id] {
			t.Fatal(id)
		}
		ids[id] = true
	}
}

// refusal is what the SDK makes of the service's error.
func refusal(t *testing.T, err error) smithy.APIError {
	t.Helper()
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		t.Fatalf("%v is not of the service", err)
	}
	return refused
}

func create(t *testing.T, client *dynamodb.Client) *types.TableDescription {
	t.Helper()
	made, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("movies"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("title"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("year"), AttributeType: types.ScalarAttributeTypeN},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("title"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("year"), KeyType: types.KeyTypeRange},
		},
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		t.Fatal(err)
	}
	return made.TableDescription
}

func movie(year string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"title": &types.AttributeValueMemberS{Value: "Alien"}, "year": &types.AttributeValueMemberN{Value: year}}
}

func TestTheClientsOfTheSDKDoTheirWork(t *testing.T) {
	config := awsstator.Config(open(t))
	client := dynamodb.NewFromConfig(config)
	table := create(t, client)
	for _, year := range []string{"1979", "1986", "1992"} {
		if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table.TableName, Item: movie(year)}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table.TableName, Item: movie("1979"),
		ConditionExpression:                 aws.String("attribute_not_exists(title)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) || len(failed.Item) != 2 {
		t.Fatal(err)
	}
	pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{TableName: table.TableName, Limit: aws.Int32(2),
		KeyConditionExpression:    aws.String("title = :t"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":t": &types.AttributeValueMemberS{Value: "Alien"}}})
	count := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		count += len(page.Items)
	}
	if count != 3 {
		t.Fatal(count)
	}
	_, err = client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("none"), Key: movie("1979")})
	if refused := refusal(t, err); refused.ErrorCode() != "ResourceNotFoundException" {
		t.Fatal(refused)
	}
}

func TestTheStreamsOfTheSDKAreRead(t *testing.T) {
	config := awsstator.Config(open(t))
	client, streams := dynamodb.NewFromConfig(config), dynamodbstreams.NewFromConfig(config)
	table := create(t, client)
	if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table.TableName, Item: movie("1979")}); err != nil {
		t.Fatal(err)
	}
	described, err := streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: table.LatestStreamArn})
	if err != nil {
		t.Fatal(err)
	}
	records := 0
	for _, shard := range described.StreamDescription.Shards {
		iterator, err := streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: table.LatestStreamArn,
			ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
		if err != nil {
			t.Fatal(err)
		}
		read, err := streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator.ShardIterator})
		if err != nil {
			t.Fatal(err)
		}
		records += len(read.Records)
	}
	if records != 1 {
		t.Fatal(records)
	}
}

func TestARNsNameTheRegionOfTheClientAndTheAccountOfTheOptions(t *testing.T) {
	config := awsstator.Config(open(t), stator.WithAccount("111122223333"))
	client := dynamodb.NewFromConfig(config, func(o *dynamodb.Options) { o.Region = "eu-west-2" })
	if arn := aws.ToString(create(t, client).TableArn); arn != "arn:aws:dynamodb:eu-west-2:111122223333:table/movies" {
		t.Fatal(arn)
	}
}

func TestAClosedDatabaseIsNoAnswerAndIsNotTriedAgain(t *testing.T) {
	db := open(t)
	attempts := 0
	config := awsstator.Config(db)
	inner := config.HTTPClient
	config.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
		attempts++
		return inner.Do(r)
	})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := dynamodb.NewFromConfig(config).ListTables(ctx, nil)
	if !errors.Is(err, stator.ErrClosed) || attempts != 1 {
		t.Fatal(err, attempts)
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestAContextThatEndedEndsTheCall(t *testing.T) {
	ended, end := context.WithCancel(ctx)
	end()
	_, err := dynamodb.NewFromConfig(awsstator.Config(open(t))).ListTables(ended, nil)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
