import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { openVault } from '../../src/vault/vault.ts'
import { chunks, filesIn, optionsFor, pair } from './new-vault.ts'

/** Options of a test that mounts a small disk: skipped, loudly, where that is not allowed. */
function withSmallDisk(): { skip?: string } {
  const probe = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])
  if (probe.status === 0) return {}
  return { skip: 'mounting a small tmpfs needs root; a full disk was not tried here' }
}

test(
  'refuses with disk-full on a real full disk, leaves nothing, and works again',
  withSmallDisk(),
  async (t) => {
    const disk = join(t.testdir(), 'disk')
    await mkdir(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk])
    try {
      const vault = await openVault(join(disk, 'vault'))
      await t.rejects(vault.put(chunks(randomBytes(3 << 20)), optionsFor(randomUUID())), {
        code: 'disk-full',
      })
      t.same(await filesIn(disk), [])
      const options = optionsFor(randomUUID())
      await vault.put(chunks(randomBytes(1 << 20)), options)
      await t.rejects(vault.openToFile(pair.opener, options.context, join(disk, 'opened')), {
        code: 'disk-full',
      })
      t.same(await filesIn(disk), [options.context.objectId])
    } finally {
      execFileSync('umount', [disk])
    }
  },
)
