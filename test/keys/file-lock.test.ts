import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { lockFile } from '../../src/keys/file-lock.ts'

test('is held by one at a time', async (t) => {
  const path = join(t.testdir(), 'file')
  let [inside, most] = [0, 0]
  const once = async (): Promise<void> => {
    const lock = await lockFile(path)
    inside += 1
    most = Math.max(most, inside)
    await sleep(2)
    t.ok(await lock.isHeld())
    inside -= 1
    await lock.release()
  }
  await Promise.all(Array.from({ length: 12 }, once))
  t.equal(most, 1)
  t.notOk(existsSync(`${path}.lock`))
})

test('is broken when its process is gone, its machine restarted, or it is a minute old', async (t) => {
  const path = join(t.testdir(), 'file')
  const module = new URL('../../src/keys/file-lock.ts', import.meta.url).href
  const script = `import { lockFile } from '${module}'
    await lockFile(process.argv[1]); process.kill(process.pid, 'SIGKILL')`
  spawnSync(process.execPath, ['--input-type=module', '-e', script, path])
  t.ok(existsSync(`${path}.lock`), 'the dead left a lock')
  await (await lockFile(path)).release()
  const lock = await lockFile(path)
  const mine = JSON.parse(await readFile(`${path}.lock`, 'utf8'))
  await writeFile(`${path}.lock`, JSON.stringify({ ...mine, boot: 'before', token: 'other' }))
  t.equal(await lock.isHeld(), false)
  await (await lockFile(path)).release()
  await writeFile(`${path}.lock`, JSON.stringify({ ...mine, host: 'elsewhere' }))
  const minuteAgo = new Date(Date.now() - 61_000)
  await utimes(`${path}.lock`, minuteAgo, minuteAgo)
  await writeFile(`${path}.lock.judge`, '')
  await utimes(`${path}.lock.judge`, minuteAgo, minuteAgo)
  await (await lockFile(path)).release()
  t.notOk(existsSync(`${path}.lock`))
  t.notOk(existsSync(`${path}.lock.judge`))
})

test('is broken when its writer died before its name was in it', async (t) => {
  const path = join(t.testdir(), 'file')
  await writeFile(`${path}.lock`, '')
  const second = lockFile(path)
  const winner = await Promise.race([second.then(() => 'second'), sleep(300, 'nobody')])
  t.equal(winner, 'nobody', 'it may be written this moment')
  const held = await second
  t.ok(await held.isHeld())
  await held.release()
})

test('is not taken from a living process, nor released by who lost it', async (t) => {
  const path = join(t.testdir(), 'file')
  const lock = await lockFile(path)
  const second = lockFile(path)
  const winner = await Promise.race([second.then(() => 'second'), sleep(300, 'nobody')])
  t.equal(winner, 'nobody')
  await lock.release()
  const held = await second
  await lock.release()
  t.ok(await held.isHeld())
  await held.release()
})
