/** What the whole job tells when it is over: as one JSON object, and as lines for people. */

/** A release that was built, approved, taken and checked. */
export type DemoRelease = {
  release: string
  /** Name of its policy. */
  policy: string
  directory: string
  manifestSha256: string
  files: { name: string; bytes: number; rows: number | null; sha256: string }[]
  /** By a process that had the directory and the public keys, and what it found wrong or could not check. */
  verified: boolean
  doubts: string[]
}

/** Times are wall clock seconds of this run. Counts are rows or persons. */
export type DemoReport = {
  project: string
  /** Agency → table → rows taken in. */
  rows: Record<string, Record<string, number>>
  linkage: {
    spine: number
    /** Agency → serials delivered and linked, share linked, and how that compares with the truth. */
    agencies: Record<
      string,
      {
        delivered: number
        linked: number
        rate: number
        wrong: number
        linkable: number
        missed: number
      }
    >
  }
  release: DemoRelease
  /** Of the example policies. */
  examples: DemoRelease[]
  /** Example policies whose k could not be met: of few persons that is right. */
  refused: string[]
  audit: { size: number; root: string; verified: boolean }
  /** Stage → seconds. */
  seconds: Record<string, number>
}

/** From so many persons on the example policies can be met. */
const personsForExamples = 20_000

/** The sentences in which the result is not what it must be; none if all is well. */
export function faultsOf(report: DemoReport): string[] {
  const agencies = Object.entries(report.linkage.agencies)
  return [
    ...agencies.flatMap(([agency, { wrong }]) =>
      wrong > 0 ? [`${wrong} persons of ${agency} were linked to somebody else`] : [],
    ),
    ...agencies.flatMap(([agency, { missed }]) =>
      missed > 0 ? [`${missed} linkable persons of ${agency} were not linked`] : [],
    ),
    ...(report.audit.verified ? [] : ['the trail does not hold']),
    ...(report.linkage.spine < personsForExamples ? [] : report.refused).map(
      (policy) => `the policy ${policy} was refused`,
    ),
    ...[report.release, ...report.examples].flatMap(({ policy, verified, doubts }) =>
      verified && doubts.length === 0
        ? []
        : [`the package of ${policy} does not hold: ${doubts.join('; ')}`],
    ),
  ]
}

/** The report for people. */
export function linesOfReport(report: DemoReport): string[] {
  const count = (value: number): string => value.toLocaleString('en')
  const lines = ['', 'rows taken in']
  for (const [agency, tables] of Object.entries(report.rows)) {
    for (const [table, rows] of Object.entries(tables)) {
      lines.push(`  ${agency.padEnd(8)} ${table.padEnd(14)} ${count(rows).padStart(12)}`)
    }
  }
  lines.push('', `persons in the spine ${count(report.linkage.spine)}; linked, by agency`)
  for (const [agency, of] of Object.entries(report.linkage.agencies)) {
    const share = `${(of.rate * 100).toFixed(1)} %`
    lines.push(
      `  ${agency.padEnd(8)} ${count(of.linked).padStart(10)} of ${count(of.delivered).padStart(10)}` +
        ` ${share.padStart(8)}   wrong ${of.wrong}, missed ${of.missed} of ${count(of.linkable)} linkable`,
    )
  }
  for (const release of [report.release, ...report.examples]) lines.push(...linesOfRelease(release))
  for (const policy of report.refused) lines.push('', `no release of ${policy}: too few persons`)
  const { size, root, verified } = report.audit
  lines.push(
    '',
    `trail ${count(size)} leaves, root ${root}: ${verified ? 'verified' : 'NOT VERIFIED'}`,
  )
  lines.push('', 'seconds')
  for (const [stage, seconds] of Object.entries(report.seconds)) {
    lines.push(`  ${stage.padEnd(14)} ${seconds.toFixed(1).padStart(8)}`)
  }
  return lines
}

function linesOfRelease({ directory, files, manifestSha256, verified }: DemoRelease): string[] {
  const rows = files.map((file) => {
    const shown = file.rows === null ? '' : file.rows.toLocaleString('en')
    return `  ${file.name.padEnd(44)} ${shown.padStart(12)}  ${file.sha256.slice(0, 16)}…`
  })
  const checked = verified ? 'verified offline' : 'NOT VERIFIED'
  return ['', `release ${directory}`, ...rows, `  manifest ${manifestSha256}: ${checked}`]
}
