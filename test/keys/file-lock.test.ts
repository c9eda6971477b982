import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
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

test('names its holder from the first moment on', async (t) => {
  const path = join(t.testdir(), 'file')
  const look = `
    const { readFileSync } = require('node:fs')
    const { parentPort, workerData } = require('node:worker_threads')
    let isTaking = true
    const seen = { named: 0, nameless: 0 }
    const looked = () => {
      try {
        seen[readFileSync(workerData, 'utf8') === '' ? 'nameless' : 'named'] += 1
      } catch {}
    }
    parentPort.on('message', () => { isTaking = false })
    const round = () => {
      for (let times = 0; times < 500; times += 1) looked()
      if (isTaking) setImmediate(round)
      else parentPort.postMessage(seen)
    }
    parentPort.postMessage('looking')
    round()`
  const looking = new Worker(look, { eval: true, workerData: `${path}.lock` })
  await once(looking, 'message')
  for (let times = 0; times < 300; times += 1) await (await lockFile(path)).release()
  looking.postMessage('enough')
  const [seen] = await once(looking, 'message')
  await looking.terminate()
  t.ok(seen.named > 0, 'it was seen')
  t.equal(seen.nameless, 0)
  t.same(await readdir(t.testdirName), [], 'and nothing is left')
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
