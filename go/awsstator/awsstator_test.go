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
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
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

func TestTheClientsOfTheSDKReachTheDatabase(t *testing.T) {
	config := awsstator.Config(open(t))
	_, err := dynamodb.NewFromConfig(config).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("none")})
	dynamoError := refusal(t, err).ErrorCode()
	_, err = dynamodbstreams.NewFromConfig(config).DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(
		"arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/2026-01-01T00:00:00.000")})
	streamsError := refusal(t, err).ErrorCode()
	for _, code := range []string{dynamoError, streamsError} {
		if code != "ResourceNotFoundException" && code != "UnknownOperationException" {
			t.Error(code)
		}
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
