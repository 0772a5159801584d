import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FastifyPluginAsync } from 'fastify'

const FILES = {
  'activity.css': 'text/css; charset=utf-8',
  'activity.js': 'text/javascript; charset=utf-8',
  'favicon.svg': 'image/svg+xml'
} as const

/** Serves the style sheet, script and icon. Browsers revalidate these files on every use. */
export const staticFiles: FastifyPluginAsync = async (app) => {
  for (const [name, type] of Object.entries(FILES)) {
    const content = readFileSync(new URL(`static/${name}`, import.meta.url))
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
    app.get(`/activity/${name}`, async (request, reply) => {
      reply.header('Cache-Control', 'no-cache').header('ETag', etag)
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type(type).send(content)
    })
  }
}
