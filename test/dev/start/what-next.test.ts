import t from 'tap'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { startCloudinary } from '../../../dev/cloudinary/cloudinary-server.ts'
import { whatNext, whatStarts } from '../../../dev/start/what-next.ts'

const urls = {
  webhookUrl: 'http://127.0.0.1:8080/webhooks/cloudinary',
  activityUrl: 'http://127.0.0.1:8081/activity'
}

t.test('names what is about to start', async (t) => {
  t.match(whatStarts({}), /SQS, DynamoDB and Cloudinary.*web, worker and activity/)
  t.match(
    whatStarts({ CLOUDINARY_SECRET_ID: 'mine', POLL_CHANNEL: 'mine' }),
    /SQS and DynamoDB, .*web, worker, poll and activity/
  )
  t.equal(
    whatStarts({ CLOUDINARY_URL: 'cloudinary://', QUEUE_URL: 'q', JOURNAL_TABLE: 'j' }),
    'Starting web, worker and activity …'
  )
})

t.test('with the stand-in, prints addresses and commands that use them', async (t) => {
  const cloudinary = await startCloudinary({ environments: [LOCAL_CLOUDINARY] })
  t.teardown(() => cloudinary.stop())
  const text = whatNext({ ...urls, cloudinary, hints: ['  database    here'] }, {}, '/tmp/file.env')
  for (const line of [
    `  webhook     ${urls.webhookUrl}`,
    '  readiness   http://127.0.0.1:8080/ready',
    '  activity    http://127.0.0.1:8081/activity; user name listener, password local-activity\n',
    '  database    here',
    `  curl -X POST ${cloudinary.url}/_standin/upload `,
    `  npm run send -- upload --url ${urls.webhookUrl} `,
    '  npx node --env-file=/tmp/file.env app/main.ts doctor '
  ]) {
    t.match(text, line)
  }
})

t.test('with another Cloudinary, explains how its notifications arrive', async (t) => {
  const own = (environment: Record<string, string>) =>
    whatNext({ ...urls, cloudinary: undefined, hints: [] }, environment, '/tmp/file.env')
  t.match(
    own({ USER: 'Ann E.' }),
    /app\/main\.ts setup --poll dev-AnnE\.\n {2}POLL_CHANNEL=dev-AnnE\. npm start/
  )
  t.match(own({}), /setup --poll dev-me\n {2}POLL_CHANNEL=dev-me npm start/)
  const fetched = own({ POLL_CHANNEL: 'mine', USER: 'ann' })
  t.match(fetched, /channel mine\b/)
  t.match(fetched, 'app/main.ts setup --poll mine\n')
  for (const text of [own({}), fetched]) {
    t.match(text, '  npx node --env-file-if-exists=.env --env-file=/tmp/file.env app/main.ts doctor\n')
  }
})

t.test("does not print a password of the user's own", async (t) => {
  const ACTIVITY_PASSWORD = 'a password of my own'
  const said = whatNext({ ...urls, cloudinary: undefined, hints: [] }, { ACTIVITY_PASSWORD }, '/tmp/file.env')
  t.match(said, /activity .* password as in ACTIVITY_PASSWORD\n/)
  t.notMatch(said, ACTIVITY_PASSWORD)
})
