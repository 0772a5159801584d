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
