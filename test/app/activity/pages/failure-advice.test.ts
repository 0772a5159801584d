import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { adviceOn } from '../../../../app/activity/pages/failure-advice.ts'

t.test('every code of a processor or of Cloudinary has its own advice', async (t) => {
  const files = ['app/processors', 'app/cloudinary'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8'))
  )
  const codes = new Set(
    files.flatMap(
      (text) =>
        text.match(
          /'(ARCHIVE|CHAT|CLOUDINARY|CMS|CSV|DATABASE|EVENT_BRIDGE|EXPIRE|FORWARD|MODERATE|NOTIFY|PUBLISH|STAMP|VIDEO)_[A-Z_]+'/g
        ) ?? []
    )
  )
  // names of variables
  for (const name of [
    'ARCHIVE_BUCKET',
    'CHAT_WEBHOOK_URL',
    'DATABASE_URL',
    'FORWARD_SECRET',
    'NOTIFY_TOPIC_ARN',
    'PUBLISH_SECRET'
  ])
    codes.delete(`'${name}'`)
  // made by app/processors/http/http-call.ts
  for (const name of ['CHAT', 'FORWARD', 'PUBLISH']) {
    for (const end of ['REJECTED', 'UNAVAILABLE']) codes.add(`'${name}_${end}'`)
  }
  // made by app/processors/aws-failure.ts
  for (const name of ['ARCHIVE', 'EVENT_BRIDGE']) {
    for (const end of ['REJECTED', 'UNAUTHORIZED', 'UNAVAILABLE']) codes.add(`'${name}_${end}'`)
  }
  t.ok(codes.size > 20)
  for (const code of codes) t.not(adviceOn(code.slice(1, -1), true), adviceOn('OTHER', true), code)
})

t.test('advice on other codes depends on the retry', async (t) => {
  t.not(adviceOn('OTHER', true), adviceOn('OTHER', false))
  t.equal(adviceOn('constructor', true), adviceOn('OTHER', true))
})
