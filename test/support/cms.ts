import fastify from 'fastify'
import type { Test } from 'tap'
import type { Config } from '../../app/config.ts'
import type { Cms } from '../../app/listener.ts'
import { examplesOf } from '../../app/listener-config/requirements.ts'
import { type CmsStandIns, createCmsStandIns } from '../../dev/cms/cms-stand-ins.ts'

/** Serves the stand-ins for Contentful and Sanity at a port of their own. */
export async function buildCms(t: Test): Promise<CmsStandIns & { url: string }> {
  const standIns = createCmsStandIns()
  const app = fastify({ forceCloseConnections: true })
  await app.register(standIns.routes)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  return { ...standIns, url }
}

/** The examples of a CMS's variables, with the address of these stand-ins. */
export function cmsVariables({ requires = [], name }: Pick<Cms, 'requires' | 'name'>, url: string) {
  return { ...examplesOf(requires), [`${name.toUpperCase()}_URL`]: `${url}/${name}` }
}

/** The same, as configuration. */
export const cmsConfig = (cms: Pick<Cms, 'requires' | 'name'>, url: string): Config =>
  cmsVariables(cms, url) as unknown as Config
