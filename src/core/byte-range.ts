import { Refusal } from './errors.ts'

/** Bytes of a file from `start` up to but without `end`. */
export type FileRange = { start: number; end: number; isPartial: boolean }

/**
 * Which bytes a request wants (RFC 9110 sections 13.1.5 and 14). One range of bytes; several, another unit or what does
 * not read as a range is passed over, as the RFC allows, and the whole file is meant. So it is when `If-Range` names
 * anything but the file's own strong tag.
 *
 * @throws {Refusal} `range-unsatisfiable` if the range begins behind the end of the file.
 */
export function rangeWanted(
  file: { bytes: number; tag: string },
  asked: { range?: string | undefined; ifRange?: string | undefined },
): FileRange {
  const { bytes } = file
  const whole = { start: 0, end: bytes, isPartial: false }
  const isSame = asked.ifRange === undefined || asked.ifRange.trim() === file.tag
  const match = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(asked.range?.trim() ?? '')
  const [, first = '', last = ''] = match ?? []
  if (!isSame || (first === '' && last === '')) return whole
  if (first !== '' && last !== '' && Number(last) < Number(first)) return whole
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? bytes : Math.min(bytes, Number(last) + 1)
  if (start >= end) {
    throw new Refusal('range-unsatisfiable', 'The file ends before this range begins.', { bytes })
  }
  return { start, end, isPartial: true }
}
