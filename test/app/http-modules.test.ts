import { execFile } from 'node:child_process'
import http from 'node:http'
import https from 'node:https'
import { promisify } from 'node:util'
import t from 'tap'
import * as modules from '../../app/http-modules.ts'
import { CHILD_ENVIRONMENT } from '../support/system.ts'

/** Prints what of `undici` and the packages of recipes is loaded with `web` and the public API. */
const PRINT_LOADED = `
  import { createRequire } from 'node:module'
  for (const file of ['roles/role.ts', 'roles/web.ts', 'listener.ts']) await import('./app/' + file)
  const files = Object.keys(createRequire(import.meta.url).cache)
  console.error(JSON.stringify({
    undici: process.moduleLoadList.filter((name) => name.includes('undici')),
    recipes: files.filter((file) => /node_modules.(?:pg|@aws-sdk.client-sns)./.test(file)),
    sqs: files.filter((file) => /client-sqs/.test(file)).length > 0
  }))`

t.test('are the modules of Node.js', async (t) => {
  t.equal(modules.http.Agent, http.Agent)
  t.equal(modules.https.request, https.request)
})

t.test('web loads neither undici nor the packages of unused recipes', async (t) => {
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', PRINT_LOADED],
    { env: CHILD_ENVIRONMENT }
  )
  t.strictSame(JSON.parse(stderr), { undici: [], recipes: [], sqs: true })
})
