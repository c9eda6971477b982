import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { expect, manifestOf, partPath } from '../support/exchange.ts'
import { until } from '../support/until.ts'
import { keysPart, openDelivery, startHttpStage, tablePart } from './stage.ts'

const sizeMiB = 8

/** A file system of a few megabytes, or undefined where this user may not mount one. */
function smallDisk(
  t: Test,
): { directory: string; fill: (leaveBytes: number) => () => void } | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'gyeol-disk-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const options = ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', directory]
  if (spawnSync('mount', options).status !== 0) return undefined
  t.teardown(() => spawnSync('umount', ['--lazy', directory]))
  const fill = (leaveBytes: number): (() => void) => {
    const { bavail, bsize } = statfsSync(directory)
    const filler = join(directory, 'filler')
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)))
    return () => rmSync(filler)
  }
  return { directory, fill }
}

test('a full disk stops nothing for good', async (t) => {
  const disk = smallDisk(t)
  if (disk === undefined) {
    t.pass('nothing can be mounted here', { skip: 'A FULL DISK IS NOT TESTED' })
    return
  }
  const vault = join(disk.directory, 'vault')
  const { service, other } = await startHttpStage(t, { vault })
  const delivery = await openDelivery(other)
  const keys = keysPart(20_000)
  const files = (): string[] =>
    readdirSync(vault, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)

  await t.test(
    'an upload is answered 503, leaves nothing, and works when there is room',
    async (t) => {
      const free = disk.fill(500_000)
      for (let round = 0; round < 3; round += 1) {
        t.match(await other.put(partPath(delivery, keys), keys.bytes), {
          status: 503,
          headers: { 'retry-after': /^\d+$/ },
          body: { type: /:disk-full$/, detail: /The disk is full/ },
        })
      }
      t.same(files(), [])
      t.same((await other.get(`/v1/deliveries/${delivery}`)).body.parts, [])
      free()
      expect(await other.put(partPath(delivery, keys), keys.bytes), 201)
    },
  )

  await t.test(
    'a job waits for room and then goes on, and no part is refused for it',
    async (t) => {
      const table = tablePart('visits', 20_000)
      expect(await other.put(partPath(delivery, table), table.bytes), 201)
      const before = files()
      const free = disk.fill(0)
      const manifest = manifestOf([keys, table])
      const submitted = await other.post(`/v1/deliveries/${delivery}/submission`, manifest)
      const { job } = expect(submitted, 202).body
      const admin = service.database.pool('admin', 1)
      const attempts = async (): Promise<number> => {
        const { rows } = await admin.query(
          'select min(attempts) as least from gyeol.job where parent_id = $1::uuid',
          [job],
        )
        return Number(rows[0]?.least)
      }
      await until(async () => (await attempts()) >= 2, 'both parts were tried again')
      t.equal((await other.get(`/v1/jobs/${job}`)).body.state, 'waiting')
      t.same(files().sort(), before.sort(), 'nothing half written lies there')
      free()
      const { body } = await service.jobEnd(other, job)
      t.match(body, { state: 'done', result: { delivery: 'taken', refused: 0, failed: 0 } })
    },
  )
})
