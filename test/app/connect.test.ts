import t from 'tap'
import { connect } from '../../app/connect.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { startCloudinary } from '../../dev/cloudinary/server.ts'
import { startSecretsManager } from '../../dev/secrets-manager.ts'

const other = { ...LOCAL_CLOUDINARY, cloudName: 'other' }
const cloudinary = await startCloudinary({ environments: [LOCAL_CLOUDINARY, other] })
t.teardown(() => cloudinary.stop())
const one = cloudinary.cloudinaryUrl()
const secrets = await startSecretsManager({
  secrets: { both: JSON.stringify({ one, two: cloudinary.cloudinaryUrl('other') }) }
})
t.teardown(() => secrets.stop())
Object.assign(process.env, {
  AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'any',
  AWS_SECRET_ACCESS_KEY: 'any'
})
for (const name of ['CLOUDINARY_URL', 'CLOUDINARY_SECRET_ID']) delete process.env[name]

t.test('calls the environment that it has credentials for', async (t) => {
  process.env.CLOUDINARY_URL = one
  const { client, close } = await connect()
  t.equal(client.cloudName, LOCAL_CLOUDINARY.cloudName)
  t.match(await client.call('ping', (sdk, options) => sdk.api.ping(options)), { status: 'ok' })
  close()
  const signal = AbortSignal.abort()
  const aborted = await connect({ cloudName: LOCAL_CLOUDINARY.cloudName, signal })
  t.teardown(aborted.close)
  await t.rejects(
    aborted.client.call('ping', (sdk, options) => sdk.api.ping(options)),
    { code: 'CLOUDINARY_ABORTED' }
  )
})

t.test('rejects an unknown environment', async (t) => {
  process.env.CLOUDINARY_URL = one
  await t.rejects(connect({ cloudName: 'nope' }), { code: 'ENVIRONMENT_UNKNOWN' })
  delete process.env.CLOUDINARY_URL
  await t.rejects(connect(), { code: 'CONFIG_INVALID' })
})

t.test('requires a name if there are several environments', async (t) => {
  process.env.CLOUDINARY_SECRET_ID = 'both'
  await t.rejects(connect(), { code: 'ENVIRONMENT_AMBIGUOUS', message: /: demo, other$/ })
  const { client, close } = await connect({ cloudName: 'other' })
  t.equal(client.cloudName, 'other')
  close()
})
