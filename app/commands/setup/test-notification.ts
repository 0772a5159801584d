import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { listTriggers, testTrigger } from '../../cloudinary/triggers.ts'
import { explain } from '../explain-error.ts'
import type { Result } from './setup-step.ts'
import { triggersTo } from './trigger-steps.ts'

/**
 * Has Cloudinary send a test notification to a place, by one of the triggers there. Never throws: the triggers are in order
 * all the same, and whether every environment can send one is not documented.
 */
export async function sendTest(client: CloudinaryClient, uri: string): Promise<Result> {
  try {
    const [trigger] = triggersTo(uri, await listTriggers(client))
    if (!trigger) return { state: 'not sent', note: 'no trigger sends there' }
    await testTrigger(client, trigger.id)
    return { state: 'sent' }
  } catch (error) {
    return { state: 'not sent', note: `${explain(error)}; upload something instead` }
  }
}
