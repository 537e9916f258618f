import { checkList, checkString, isObject, type Json, type Report } from './report.ts';
import { checkRichText } from './rich-text.ts';

const maxColumns = 20;

/** A table block: at most 100 rows of 20 cells (docs.slack.dev/reference/block-kit/blocks/table-block). */
export function checkTable(report: Report, pointer: string, block: Json): void {
  checkRows(report, pointer, block.rows, { max: 100, min: 1 });
  checkList(report, `${pointer}/column_settings`, block.column_settings, { max: maxColumns, min: 0, required: false });
}

/** A data_table block: a header row and at most 100 rows (docs.slack.dev/reference/block-kit/blocks/data-table-block). */
export function checkDataTable(report: Report, pointer: string, block: Json): void {
  checkString(report, `${pointer}/caption`, block.caption, { max: 3_000, required: true });
  checkRows(report, pointer, block.rows, { max: 101, min: 2 });
  const size = block.page_size;
  if (size !== undefined && (typeof size !== 'number' || size < 1 || size > 100)) {
    report.add(`${pointer}/page_size`, 'must be between 1 and 100');
  }
}

function checkRows(report: Report, pointer: string, rows: unknown, rule: { max: number; min: number }): void {
  checkList(report, `${pointer}/rows`, rows, rule).forEach((row, rowIndex) => {
    const here = `${pointer}/rows/${rowIndex}`;
    checkList(report, here, row, { max: maxColumns }).forEach((cell, index) => {
      checkCell(report, `${here}/${index}`, cell);
    });
  });
}

function checkCell(report: Report, pointer: string, cell: unknown): void {
  if (!isObject(cell)) {
    report.add(pointer, 'must provide an object');
    return;
  }
  switch (cell.type) {
    case 'raw_text':
      checkString(report, `${pointer}/text`, cell.text, { max: 3_000, required: true });
      return;
    case 'raw_number':
      checkString(report, `${pointer}/text`, cell.text, { max: 3_000, required: true });
      if (typeof cell.value !== 'number') {
        report.add(`${pointer}/value`, 'must be a number');
      }
      return;
    case 'rich_text':
      checkRichText(report, pointer, cell);
      return;
    default:
      report.add(`${pointer}/type`, `unsupported type: ${String(cell.type)}`);
  }
}
