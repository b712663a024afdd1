// Compiled by aws.test.js, never run: the types of the configuration are those that the SDK's clients take.
import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { open } from "stator";
import { clientConfig } from "stator/aws";

const db = await open(":memory:");
export const config: DynamoDBClientConfig = clientConfig(db, { region: "eu-west-2", account: "111122223333" });
export const client = new DynamoDBClient(clientConfig(db));
export const other = new DynamoDBClient({ ...clientConfig(db), maxAttempts: 1 });
export const streams = new DynamoDBStreamsClient(clientConfig(db));
export const documents = DynamoDBDocument.from(client);
// @ts-expect-error a path is no database
clientConfig("shop.stator");
