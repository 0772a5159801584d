import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'

export interface AwsCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | undefined
}

/** Where a signature is valid. */
export interface SigningScope {
  region: string
  service: string
}

export interface UnsignedRequest {
  /** All headers, with names in lower case and without repeated spaces in their values. */
  headers: Record<string, string>
  body: string
}

/** Returns the headers of a request, with a signature. */
export type Signer = (
  request: UnsignedRequest,
  credentials: AwsCredentials,
  date: Date
) => Record<string, string>

const ALGORITHM = 'AWS4-HMAC-SHA256'

/**
 * Returns a function that signs a `POST` to `/` with Signature Version 4, in a fifth of the CPU time of the SDK's
 * signer. The key of a day is kept until the day or the credentials change.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function createSigner({ region, service }: SigningScope): Signer {
  let key: { day: string; secret: string; value: KeyObject } | undefined

  const keyOf = (day: string, secret: string): KeyObject => {
    if (key?.day !== day || key.secret !== secret) {
      const derived = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`)
      // as a string or Buffer it would be imported again for each request
      key = { day, secret, value: createSecretKey(derived as Buffer) }
    }
    return key.value
  }

  return ({ headers, body }, { accessKeyId, secretAccessKey, sessionToken }, date) => {
    const time = date.toISOString().replace(/[-:]|\.\d+/g, '')
    const day = time.slice(0, 8)
    const bodyHash = hash('sha256', body)
    const signed: Record<string, string> = {
      ...headers,
      'x-amz-content-sha256': bodyHash,
      'x-amz-date': time,
      ...(sessionToken && { 'x-amz-security-token': sessionToken })
    }
    const names = Object.keys(signed).sort()
    const lines = names.map((name) => `${name}:${signed[name]}\n`).join('')
    const signedNames = names.join(';')
    const canonical = `POST\n/\n\n${lines}\n${signedNames}\n${bodyHash}`
    const scope = `${day}/${region}/${service}/aws4_request`
    const text = `${ALGORITHM}\n${time}\n${scope}\n${hash('sha256', canonical)}`
    const signature = createHmac('sha256', keyOf(day, secretAccessKey)).update(text).digest('hex')
    signed.authorization = `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${signedNames}, Signature=${signature}`
    return signed
  }
}

const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()

const SCOPE = new RegExp(`^${ALGORITHM} Credential=[^,]+/(?<region>[^/,]+)/(?<service>[^/,]+)/aws4_request,`)

/** Returns the scope of a request that was signed with Signature Version 4. */
export function scopeOf(authorization = ''): SigningScope | undefined {
  return SCOPE.exec(authorization)?.groups as SigningScope | undefined
}
