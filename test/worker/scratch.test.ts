import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { makeScratch, ownedBy, sweepScratch } from '../../src/worker/scratch.ts'

test('scratch of a process that is no more is removed, also where its id was given again', async (t) => {
  const root = mkdtempSync('/dev/shm/gyeol-scratch-')
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const other = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.teardown(() => other.kill('SIGKILL'))
  const own = await makeScratch(root, 'own')
  const living = join(root, `${ownedBy(other.pid ?? 0)}-living`)
  const left = [
    `${process.pid}.1-before`, // Of the worker of a container that was started again: it has the same id.
    `${other.pid}.1-recycled`,
    `${process.pid}-older`, // As releases before this one named them.
    '999999999.1-gone',
  ].map((name) => join(root, name))
  for (const path of [living, ...left]) {
    mkdirSync(path, { mode: 0o700 })
    writeFileSync(join(path, 'part.parquet'), 'opened')
  }
  t.equal(await sweepScratch(root), left.length)
  t.same(
    readdirSync(root)
      .map((name) => join(root, name))
      .sort(),
    [own, living].sort(),
  )
})
