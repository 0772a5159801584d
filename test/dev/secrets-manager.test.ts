import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ResourceNotFoundException,
  SecretsManagerClient
} from '@aws-sdk/client-secrets-manager'
import { type Test, test } from 'tap'
import { type SecretValue, startSecretsManager } from '../../dev/secrets-manager.ts'

async function start(t: Test, secrets?: Record<string, SecretValue>) {
  const server = await startSecretsManager(secrets && { secrets })
  const client = new SecretsManagerClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1
  })
  t.teardown(async () => {
    client.destroy()
    await server.stop()
  })
  const get = (SecretId: string, VersionStage?: string) =>
    client.send(new GetSecretValueCommand({ SecretId, VersionStage }))
  return { server, client, get }
}

test('serves a secret to the AWS SDK, as text or bytes', async (t) => {
  const { server, get } = await start(t, { text: 'one', bytes: new Uint8Array([0, 255]) })
  const text = await get('text')
  t.match(text, { Name: 'text', SecretString: 'one', VersionStages: ['AWSCURRENT'], SecretBinary: undefined })
  t.match(text.ARN, /:secret:text-/)
  t.ok(text.CreatedDate instanceof Date)
  const bytes = await get('bytes', 'AWSCURRENT')
  t.strictSame([...(bytes.SecretBinary ?? [])], [0, 255])
  t.equal(bytes.SecretString, undefined)
  t.equal(server.requests, 2)
})

test('a rotation moves the current version to AWSPREVIOUS', async (t) => {
  const { server, get } = await start(t)
  server.rotate('a', 'one')
  await t.rejects(get('a', 'AWSPREVIOUS'), ResourceNotFoundException, 'the first version has no previous one')
  const { VersionId } = await get('a')
  server.rotate('a', 'two')
  t.match(await get('a'), { SecretString: 'two' })
  t.match(await get('a', 'AWSPREVIOUS'), { SecretString: 'one', VersionId })
  server.set('a', 'AWSPREVIOUS', undefined)
  await t.rejects(get('a', 'AWSPREVIOUS'), {
    name: 'ResourceNotFoundException',
    message: "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS"
  })
})

test('describes a secret by the stages of its versions', async (t) => {
  const { server, client } = await start(t, { a: 'one' })
  const stagesOf = async (SecretId: string) => {
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId }))
    return VersionIdsToStages && Object.values(VersionIdsToStages)
  }
  t.strictSame(await stagesOf('a'), [['AWSCURRENT']])
  server.rotate('a', 'two')
  t.strictSame((await stagesOf('a'))?.flat().sort(), ['AWSCURRENT', 'AWSPREVIOUS'])
  server.set('empty', 'AWSCURRENT', undefined)
  t.equal(await stagesOf('empty'), undefined)
  await t.rejects(stagesOf('unknown'), ResourceNotFoundException)
})

test('answers ResourceNotFoundException to an unknown secret', async (t) => {
  const { get } = await start(t, { a: 'one' })
  await t.rejects(get('b'), {
    name: 'ResourceNotFoundException',
    message: "Secrets Manager can't find the specified secret.",
    $metadata: { httpStatusCode: 400 }
  })
})

test('fails with the injected error until it is cleared', async (t) => {
  const { server, get } = await start(t, { a: 'one' })
  server.failWith({ status: 400, code: 'ThrottlingException' })
  await t.rejects(get('a'), { name: 'ThrottlingException' })
  server.failWith({ status: 500, code: 'InternalServiceError' })
  await t.rejects(get('a'), { name: 'InternalServiceError', $metadata: { httpStatusCode: 500 } })
  server.failWith({ status: 400, code: 'ThrottlingException', stage: 'AWSPREVIOUS' })
  await t.rejects(get('a', 'AWSPREVIOUS'), { name: 'ThrottlingException' })
  t.match(await get('a'), { SecretString: 'one' })
  server.failWith()
  t.match(await get('a'), { SecretString: 'one' })
})

test('refuses other operations and invalid bodies', async (t) => {
  const { server, client } = await start(t)
  await t.rejects(client.send(new ListSecretsCommand({})), { name: 'UnknownOperationException' })
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'x-amz-target': 'secretsmanager.GetSecretValue' },
    body: '{'
  })
  t.equal(response.status, 400)
  t.match(await response.json(), { __type: 'SerializationException' })
})
