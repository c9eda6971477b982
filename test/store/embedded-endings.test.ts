import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { startEmbeddedDatabase } from '../../src/store/embedded.ts'
import { directory, isUp, postmaster, query, service } from '../support/embedded.ts'

test('the embedded PostgreSQL', async (t) => {
  const home = join(directory(t, 0o755), 'home')
  const made = await startEmbeddedDatabase({ home })
  await query(made.urls.admin, 'create table kept (n integer); insert into kept values (7)')
  await made.stop()

  t.test('refuses a home on which another service runs, and leaves that one alone', async (t) => {
    const running = await service(home, 'wait')
    t.match(running.told, { port: Number })
    await t.rejects(startEmbeddedDatabase({ home }), { code: 'address-taken', message: /home/ })
    t.ok(await isUp(running.told.url ?? ''))
    running.process.kill('SIGKILL')
    await running.ended
  })

  t.test('ends with its service however that ends, and starts again', async (t) => {
    for (const ending of ['return', 'throw', 'SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
      const how = ending.startsWith('SIG') ? 'wait' : (ending as 'return')
      const running = await service(home, how)
      t.match(running.told, { port: Number }, `starts before ${ending}`)
      if (how === 'wait') running.process.kill(ending as 'SIGTERM')
      await running.ended
      let waitedMs = 0
      while (waitedMs < 5_000 && existsSync(join(home, 'postgres/data/postmaster.pid'))) {
        waitedMs += 50
        await sleep(50)
      }
      t.notOk(await isUp(running.told.url ?? ''), `is gone after ${ending}`)
    }
  })

  t.test(
    'starts at once after its service was killed, while the server still shuts down',
    async (t) => {
      const running = await service(home, 'wait')
      running.process.kill('SIGKILL')
      await running.ended
      const again = await startEmbeddedDatabase({ home })
      t.same(await query(again.urls.admin, 'select n from kept'), [{ n: 7 }])
      await again.stop()
    },
  )

  t.test('takes over a server whose owner and guard are both gone', async (t) => {
    const running = await service(home, 'wait')
    await sleep(3_500) // Younger servers may have an owner that is about to come.
    const guards = spawnSync('pgrep', ['-f', `kill -INT "\\$1" sh ${postmaster(home)}$`], {
      encoding: 'utf8',
    })
    for (const guard of guards.stdout.split('\n').filter(Boolean))
      process.kill(Number(guard), 'SIGKILL')
    running.process.kill('SIGKILL')
    await running.ended
    t.ok(await isUp(running.told.url ?? ''), 'it was left behind')
    const again = await startEmbeddedDatabase({ home })
    t.same(await query(again.urls.admin, 'select n from kept'), [{ n: 7 }])
    await again.stop()
  })

  t.test('recovers when the server itself was killed', async (t) => {
    const running = await service(home, 'wait')
    await query(running.told.url ?? '', 'update kept set n = 8')
    process.kill(postmaster(home), 'SIGKILL')
    running.process.kill('SIGKILL')
    await running.ended
    const again = await startEmbeddedDatabase({ home })
    t.same(await query(again.urls.admin, 'select n from kept'), [{ n: 8 }])
    await again.stop()
  })

  t.test('is not stopped by the process id of a stranger', async (t) => {
    const path = join(home, 'postgres/data/postmaster.pid')
    writeFileSync(path, `${process.pid}\n${home}/postgres/data\n0\n5432\n\n127.0.0.1\n`)
    const again = await startEmbeddedDatabase({ home })
    t.ok(await isUp(again.urls.admin))
    await again.stop()
  })
})
