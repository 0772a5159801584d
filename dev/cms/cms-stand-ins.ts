import type { FastifyInstance } from 'fastify'
import { ContentfulStandIn } from './contentful-stand-in.ts'
import { SanityStandIn } from './sanity-stand-in.ts'

/** The examples of the variables that `contentful` and `sanity` require. */
const TOKENS = { contentful: 'local-contentful-token', sanity: 'local-sanity-token' }

/** The asset that `npm start` uploads, as an editor picked it. */
const PICKED = {
  public_id: 'hello/first-upload',
  resource_type: 'image',
  type: 'upload',
  version: 1,
  tags: [],
  url: 'http://res.cloudinary.com/demo/image/upload/v1/hello/first-upload.png',
  secure_url: 'https://res.cloudinary.com/demo/image/upload/v1/hello/first-upload.png'
}

export interface CmsStandIns {
  contentful: ContentfulStandIn
  sanity: SanityStandIn
  /**
   * Serves `/contentful` and `/sanity`, the APIs of both; and `/cms`, their entries before and after the last
   * change.
   */
  routes: (app: FastifyInstance) => Promise<void>
}

/** Creates stand-ins for two CMS. Each has an article, `welcome`, with the first upload of `npm start`. */
export function createCmsStandIns(): CmsStandIns {
  const contentful = new ContentfulStandIn({
    token: TOKENS.contentful,
    contentTypes: { article: ['hero', 'gallery'] }
  })
  contentful.create('welcome', 'article', {
    title: { 'en-US': 'Welcome' },
    hero: { 'en-US': [PICKED] }
  })
  const sanity = new SanityStandIn({ token: TOKENS.sanity })
  sanity.put({
    _id: 'welcome',
    _type: 'article',
    title: 'Welcome',
    hero: { _type: 'cloudinary.asset', ...PICKED }
  })
  return {
    contentful,
    sanity,
    async routes(app) {
      await app.register(contentful.api, { prefix: '/contentful' })
      await app.register(sanity.api, { prefix: '/sanity' })
      app.get('/cms', async () => ({ contentful: contentful.view(), sanity: sanity.view() }))
    }
  }
}
