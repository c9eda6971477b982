import type { CountFile, TableFile } from '../core/data-package.ts'
import type { PackageFile } from '../core/release-manifest.ts'
import { filesOfRelease } from '../store/release-files.ts'
import type { Release } from '../store/releases.ts'
import type { WorkerDeps } from './deps.ts'

/** What a package has before it is closed. */
export type FilesBefore = { tables: TableFile[]; counts: CountFile[]; reports: PackageFile[] }

/**
 * The files that were made before: those of the tables by the parts' jobs, reports and tables of counts by the first run.
 */
export async function filesBefore(
  deps: Pick<WorkerDeps, 'pool'>,
  release: Pick<Release, 'id'>,
): Promise<FilesBefore> {
  const files = await filesOfRelease(deps.pool, release.id)
  const all = files.map(({ name, bytes, rows, sha256 }) => ({
    name,
    bytes,
    rows: rows ?? 0,
    sha256: Buffer.from(sha256).toString('hex'),
    table: name.split('/')[1] ?? '',
    format: formatOf(name),
  }))
  return {
    tables: all.filter(({ name }) => name.startsWith('data/')),
    counts: all
      .filter(({ name }) => name.startsWith('tables/'))
      .map(({ name, bytes, rows, sha256 }) => ({ name, bytes, rows, sha256 })),
    reports: all
      .filter(({ name }) => !/^(data|tables)\//.test(name))
      .map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
  }
}

/** The format of a file of rows, by its name. */
export function formatOf(name: string): 'parquet' | 'csv' {
  return name.endsWith('.csv') ? 'csv' : 'parquet'
}
