import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

export type SecretStage = 'AWSCURRENT' | 'AWSPREVIOUS'

/** Value of a secret: text is returned as `SecretString`, bytes as `SecretBinary`. */
export type SecretValue = string | Uint8Array

export interface Failure {
  status: number
  code: string
  stage?: SecretStage
}

export interface SecretsManagerStandIn {
  readonly url: string
  /** Number of requests so far. */
  readonly requests: number
  /** Sets the version of a stage, or removes the stage. */
  set(secretId: string, stage: SecretStage, value: SecretValue | undefined): void
  /** Rotates a secret: the value of AWSCURRENT becomes AWSPREVIOUS. */
  rotate(secretId: string, value: SecretValue): void
  /** Fails all requests, or those for one stage, until called without a failure. */
  failWith(failure?: Failure): void
  stop(): Promise<void>
}

interface Version {
  id: string
  createdAt: number
  value: SecretValue
}

interface Input {
  SecretId: string
  VersionStage?: SecretStage
}

interface JsonResponse {
  status: number
  body: Record<string, unknown>
}

const errorResponse = (status: number, code: string, message: string): JsonResponse => ({
  status,
  body: { __type: code, Message: message }
})

/**
 * Serves two operations of AWS Secrets Manager: GetSecretValue, which the listener uses, and DescribeSecret,
 * which a deployment uses. Accepts any signature.
 * Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html,
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
 *
 * @param options.port (Default: any free port)
 * @param options.secrets current values by secret id
 */
export async function startSecretsManager(
  options: { port?: number; secrets?: Record<string, SecretValue> } = {}
): Promise<SecretsManagerStandIn> {
  const secrets = new Map<string, Map<SecretStage, Version>>()
  let requests = 0
  let failure: Failure | undefined

  function stagesOf(secretId: string): Map<SecretStage, Version> {
    const stages = secrets.get(secretId) ?? new Map<SecretStage, Version>()
    secrets.set(secretId, stages)
    return stages
  }

  function set(secretId: string, stage: SecretStage, value: SecretValue | undefined): void {
    if (value === undefined) stagesOf(secretId).delete(stage)
    else stagesOf(secretId).set(stage, { id: randomUUID(), createdAt: Date.now() / 1000, value })
  }

  async function answer(request: IncomingMessage): Promise<JsonResponse> {
    const input = (await json(request).catch(() => undefined)) as Input | undefined
    const operation = request.headers['x-amz-target']
    if (operation !== 'secretsmanager.GetSecretValue' && operation !== 'secretsmanager.DescribeSecret') {
      return errorResponse(400, 'UnknownOperationException', '')
    }
    if (!input) return errorResponse(400, 'SerializationException', 'the body is not JSON')
    const { SecretId: secretId, VersionStage: stage = 'AWSCURRENT' } = input
    if (failure && (failure.stage ?? stage) === stage) {
      return errorResponse(failure.status, failure.code, `injected ${failure.code}`)
    }
    const stages = secrets.get(secretId)
    const identity = {
      ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${secretId}-AbCdEf`,
      Name: secretId
    }
    if (stages && operation === 'secretsmanager.DescribeSecret') {
      const versions = [...stages].map(([stage, { id }]) => [id, [stage]])
      // a secret without a value has no versions
      return {
        status: 200,
        body: {
          ...identity,
          ...(versions.length > 0 && { VersionIdsToStages: Object.fromEntries(versions) })
        }
      }
    }
    const version = stages?.get(stage)
    if (!stages || !version) {
      const missing = stages ? `secret value for staging label: ${stage}` : 'secret.'
      return errorResponse(
        400,
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified ${missing}`
      )
    }
    const { value } = version
    return {
      status: 200,
      body: {
        ...identity,
        CreatedDate: version.createdAt,
        VersionId: version.id,
        VersionStages: [stage],
        ...(typeof value === 'string'
          ? { SecretString: value }
          : { SecretBinary: Buffer.from(value).toString('base64') })
      }
    }
  }

  const server = createServer(async (request, response) => {
    requests += 1
    const { status, body } = await answer(request)
    response.writeHead(status, {
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': randomUUID()
    })
    response.end(JSON.stringify(body))
  })

  for (const [secretId, value] of Object.entries(options.secrets ?? {})) set(secretId, 'AWSCURRENT', value)
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests
    },
    set,
    rotate(secretId, value) {
      const stages = stagesOf(secretId)
      const current = stages.get('AWSCURRENT')
      if (current) stages.set('AWSPREVIOUS', current)
      set(secretId, 'AWSCURRENT', value)
    },
    failWith(injected) {
      failure = injected
    },
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}
