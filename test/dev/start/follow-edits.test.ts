import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { shownPath } from '../../../app/listener-config/load-error.ts'
import { followEdits } from '../../../dev/start/follow-edits.ts'
import type { Reload } from '../../../dev/start/system.ts'
import { Output } from '../../support/output.ts'

t.test('restarts the worker after a change, or reports why not, and watches new imports', async (t) => {
  const directory = t.testdir({ 'config.ts': '1', 'mine.ts': '1' })
  const [config, mine] = [join(directory, 'config.ts'), join(directory, 'mine.ts')]
  const reloads: Reload[] = [
    { files: [config, mine], refused: 'config.ts:1: broken' },
    { files: [config, mine] }
  ]
  const printed = new Output()
  let restarts = 0
  const edits = followEdits(
    { files: [config], reload: async () => reloads.shift()! },
    { print: (text) => printed.add(`${text}\n`), onRestart: () => void restarts++ }
  )
  t.teardown(() => edits.stop())
  writeFileSync(config, '2')
  await printed.waitFor(/config\.ts:1: broken$/m)
  t.match(printed.text, `${shownPath(config)} changed`)
  t.equal(restarts, 0)
  writeFileSync(mine, '2')
  await printed.waitFor(/^The worker has restarted\.$/m)
  t.match(printed.text, `${shownPath(mine)} changed`)
  t.equal(restarts, 1)
})

t.test('does not report the failure of a restart during which the file was saved again', async (t) => {
  const config = join(t.testdir({ 'config.ts': '1' }), 'config.ts')
  const printed = new Output()
  let reloads = 0
  const edits = followEdits(
    {
      files: [config],
      async reload() {
        if (++reloads > 1) return { files: [config] }
        // provided for the file before, and read by the worker after this save
        writeFileSync(config, '3')
        return { files: [config], refused: 'MY_SLACK_URL is not set' }
      }
    },
    { print: (text) => printed.add(`${text}\n`), onRestart: () => {} }
  )
  t.teardown(() => edits.stop())
  writeFileSync(config, '2')
  await printed.waitFor(/^The worker has restarted\.$/m)
  t.equal(reloads, 2)
  t.notMatch(printed.text, 'Not restarted')
})
