import t from 'tap'
import { embeddedVariables, userServices } from '../../../dev/start/user-services.ts'

const STAND_INS = {
  CLOUDINARY_URL: 'cloudinary://1:2@demo',
  QUEUE_URL: 'q',
  DEAD_LETTER_QUEUE_URL: 'd',
  AWS_ENDPOINT_URL_SQS: 's',
  JOURNAL_TABLE: 'j',
  AWS_ENDPOINT_URL_DYNAMODB: 'e',
  AWS_ACCESS_KEY_ID: 'local',
  FORWARD_SECRET: 'f',
  CHAT_WEBHOOK_URL: 'c',
  PUBLISH_SECRET: 'p'
}

t.test('an empty variable counts as unset', async (t) => {
  t.strictSame(userServices({ CLOUDINARY_URL: '', QUEUE_URL: 'mine' }), {
    ownCloudinary: false,
    ownQueue: true,
    ownJournal: false
  })
})

t.test('names the stand-ins that are used', async (t) => {
  const { FORWARD_SECRET, CHAT_WEBHOOK_URL, PUBLISH_SECRET, ...all } = STAND_INS
  t.strictSame(embeddedVariables({ PORT: '80' }, STAND_INS), {
    ...all,
    WEBHOOK_URL: 'http://127.0.0.1:80/webhooks/cloudinary'
  })
  t.strictSame(embeddedVariables({ CLOUDINARY_SECRET_ID: 'a', QUEUE_URL: 'b' }, STAND_INS), {
    JOURNAL_TABLE: 'j',
    AWS_ENDPOINT_URL_DYNAMODB: 'e'
  })
})

t.test('leaves the webhook URL to the environment, and out where the port is not known', async (t) => {
  for (const environment of [{}, { PORT: '0' }, { PORT: '80', WEBHOOK_URL: 'mine' }]) {
    t.notHas(embeddedVariables(environment, STAND_INS), { WEBHOOK_URL: /./ })
  }
})
