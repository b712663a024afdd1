// A client of the AWS SDK on a database in this process. node sdk.mjs [FOLDER]
import { CreateTableCommand, DynamoDBClient, PutItemCommand, ResourceInUseException } from "@aws-sdk/client-dynamodb";
import { open } from "stator";
import { clientConfig } from "stator/aws";

const db = await open(process.argv[2] ?? ":memory:");
const client = new DynamoDBClient(clientConfig(db));
try {
  await client.send(new CreateTableCommand({
    TableName: "movies", BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "title", AttributeType: "S" }], KeySchema: [{ AttributeName: "title", KeyType: "HASH" }],
  }));
} catch (error) {
  if (!(error instanceof ResourceInUseException)) throw error; // from an earlier run
}
await client.send(new PutItemCommand({ TableName: "movies", Item: { title: { S: "Alien" }, year: { N: "1979" } } }));

// The same table by the package's own calls.
const movies = await db.openTable("movies");
console.log((await movies.get("Alien")).year); // → 1979
await db.close();
