import t from 'tap'
import type { RoleProcess } from '../../../dev/start/role-process.ts'
import type { RoleStarter } from '../../../dev/start/role-starter.ts'
import { ScheduleProcess } from '../../../dev/start/schedule-process.ts'

function build(immediately: boolean) {
  const done: string[] = []
  let started = 0
  const roles: Pick<RoleStarter, 'start'> = {
    async start(role, { args = [] } = {}) {
      started++
      const number = started
      done.push(`start ${number}: ${[role, ...args].join(' ')}`)
      const stop = async () => void done.push(`stop ${number}`)
      return [{ stop } as RoleProcess, {}]
    }
  }
  return { done, process: new ScheduleProcess({ roles, immediately }) }
}

t.test('runs while there are schedules, with the current configuration', async (t) => {
  const { done, process } = build(true)
  await process.restart([])
  await process.restart(['expire'])
  await process.restart(['expire', 'unused'])
  await process.restart([])
  t.strictSame(done, [
    'start 1: schedules --every 60 --now',
    'start 2: schedules --every 60 --now',
    'stop 1',
    'stop 2'
  ])
})

t.test('waits until they are due in a Cloudinary of the user', async (t) => {
  const { done, process } = build(false)
  await process.restart(['expire'])
  t.strictSame(done, ['start 1: schedules --every 60'])
})
