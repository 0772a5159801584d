import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { listTriggers, testTrigger } from '../../cloudinary/triggers.ts'
import { explain } from '../explain-error.ts'
import type { StepResult } from './setup-step.ts'
import { triggersTo } from './trigger-steps.ts'

/**
 * Asks Cloudinary to send a test notification to an address, through one of its triggers. Never throws:
 * triggers work even if the test fails, and Cloudinary does not document which environments can send one.
 */
export async function sendTest(client: CloudinaryClient, uri: string): Promise<StepResult> {
  try {
    const [trigger] = triggersTo(uri, await listTriggers(client))
    if (!trigger) return { state: 'not sent', note: 'no trigger has this address' }
    await testTrigger(client, trigger.id)
    return { state: 'sent' }
  } catch (error) {
    return { state: 'not sent', note: `${explain(error)}; upload something instead` }
  }
}
