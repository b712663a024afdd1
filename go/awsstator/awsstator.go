// Package awsstator lets the clients of the AWS SDK for Go work on a database in this process: they marshal, sign and retry as
// ever, and no socket is opened.
//
//	db, err := stator.Open("shop.stator", nil)
//	client := dynamodb.NewFromConfig(awsstator.Config(db))
//	streams := dynamodbstreams.NewFromConfig(awsstator.Config(db))
//
// ARNs name the region that the client is configured with.
package awsstator

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	stator "github.com/statordb/stator/go"
)

// Region is that of Config. Set another one in the aws.Config, or in the options of the client.
const Region = "us-east-1"

const endpoint = "http://stator.invalid" // never looked up

// Config is what clients of dynamodb and dynamodbstreams are made from. options: as of DB.Dispatch.
func Config(db *stator.DB, options ...stator.DispatchOption) aws.Config {
	return aws.Config{
		Region:       Region,
		BaseEndpoint: aws.String(endpoint),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "stator", SecretAccessKey: "stator", Source: "awsstator"}, nil
		}),
		HTTPClient: &Client{DB: db, Options: options},
	}
}

// A Client is the HTTP client of an SDK's client: it answers out of the database.
type Client struct {
	DB      *stator.DB
	Options []stator.DispatchOption
}

// Do answers a request of the DynamoDB JSON protocol.
func (c *Client) Do(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		defer request.Body.Close()
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
	}
	options := append([]stator.DispatchOption{stator.WithRegion(regionOf(request))}, c.Options...)
	status, answer, err := c.DB.Dispatch(request.Context(), request.Header.Get("X-Amz-Target"), body, options...)
	if err != nil {
		return nil, transportError(err)
	}
	header := http.Header{}
	header.Set("Content-Type", "application/x-amz-json-1.0")
	header.Set("X-Amzn-Requestid", requestID())
	header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(answer)), 10))
	return &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(answer)), ContentLength: int64(len(answer)), Request: request,
	}, nil
}

// regionOf finds the region in the signature's scope: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/dynamodb/aws4_request, ...
func regionOf(request *http.Request) string {
	_, scope, _ := strings.Cut(request.Header.Get("Authorization"), "Credential=")
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(scope, "/")
	if len(parts) != 5 {
		return ""
	}
	return parts[2]
}

// requestID is of the service's form: 52 capital letters and digits.
func requestID() string {
	var random [32]byte
	_, _ = rand.Read(random[:])
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random[:])
}

// A failure is an error of the call itself. The SDK asks it whether to try again: only where that can help.
type failure struct{ cause *stator.Error }

func (f failure) Error() string        { return f.cause.Error() }
func (f failure) Unwrap() error        { return f.cause }
func (f failure) RetryableError() bool { return f.cause.Retryable() && !f.cause.MaybeApplied() }

func transportError(err error) error {
	var failed *stator.Error
	if errors.As(err, &failed) {
		return failure{failed}
	}
	return err
}
