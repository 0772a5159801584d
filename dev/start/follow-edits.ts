import { shownPath } from '../../app/listener-config/load-error.ts'
import { FileWatch } from './file-watch.ts'
import type { System } from './system.ts'

export interface FollowOptions {
  print: (text: string) => void
  /** Called when the workers have been restarted. */
  onRestart: () => void
}

/** Restarts the workers whenever the file that a user edits, or one that it imports, has changed, and says so. */
export function followEdits(
  { files, reload }: Pick<System, 'files' | 'reload'>,
  { print, onRestart }: FollowOptions
): FileWatch {
  const watch = new FileWatch({
    async onChange(changed) {
      print(`${changed.map(shownPath).join(', ')} changed; restarting the worker …`)
      const { files: now, refused } = await reload()
      watch.add(now)
      if (refused !== undefined) {
        print(`Not restarted, the worker of before runs on: ${refused}`)
        return
      }
      print('The worker is restarted.')
      onRestart()
    }
  })
  watch.add(files)
  return watch
}
