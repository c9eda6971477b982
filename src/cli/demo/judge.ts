/**
 * The demonstration's linkage beside the truth of its population. Only here does anyone open a link map outside a worker:
 * the demonstration holds every key of its own worthless service.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openKeyring } from '../../keys/open-keyring.ts'
import { type Judgement, judgeLinkage } from '../../population/truth.ts'
import { findDelivery } from '../../store/deliveries.ts'
import { linkMapsOf } from '../../store/linkages.ts'
import type { Pool } from '../../store/pool.ts'
import { openVault } from '../../vault/vault.ts'
import type { Config } from '../config.ts'

export type ToJudge = {
  config: Config
  /** Of a role that may read everything. */
  pool: Pool
  linkage: string
  populationDir: string
  /** Agency → what its tool wrote, with `serials.parquet`. */
  preparedDirs: Record<string, string>
  /** Where opened maps may lie for a moment: a memory file system. */
  scratchRoot: string
}

/** Agency → how its links compare with the truth. */
export async function judge(toJudge: ToJudge): Promise<Record<string, Judgement>> {
  await mkdir(toJudge.scratchRoot, { recursive: true, mode: 0o700 })
  const scratchDir = await mkdtemp(join(toJudge.scratchRoot, 'judge-'))
  try {
    const maps = await openMaps(toJudge, scratchDir)
    const serials = Object.fromEntries(
      Object.entries(toJudge.preparedDirs).map(([agency, dir]) => [
        agency,
        join(dir, 'serials.parquet'),
      ]),
    )
    const workDir = join(scratchDir, 'work')
    await mkdir(workDir)
    return await judgeLinkage({
      populationDir: toJudge.populationDir,
      scratchDir: workDir,
      serials,
      maps,
      hasNotices: true,
    })
  } finally {
    await rm(scratchDir, { recursive: true, force: true })
  }
}

async function openMaps(toJudge: ToJudge, directory: string): Promise<Record<string, string>> {
  const { config, pool } = toJudge
  const passphrase = await readFile(join(config.keys, 'data.passphrase'), 'utf8')
  const keyring = await openKeyring({
    path: join(config.keys, 'data.keyring'),
    passphrase: Buffer.from(passphrase.trimEnd()),
    demo: config.demo,
  })
  const vault = await openVault(join(config.home, 'vault'))
  const opened: Record<string, string> = {}
  for (const { deliveryId, objectId } of await linkMapsOf(pool, toJudge.linkage)) {
    const delivery = await findDelivery(pool, deliveryId)
    if (!delivery) throw new Error('a link map is of a delivery')
    const path = join(directory, `${delivery.agency}.parquet`)
    const context = { project: delivery.projectId, kind: 'link-map', objectId }
    await vault.openToFile(
      (keyId, enc, ciphertext, info) => keyring.openSealed(keyId, enc, ciphertext, info),
      context,
      path,
    )
    opened[delivery.agency] = path
  }
  return opened
}
