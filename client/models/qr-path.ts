// The path of a QR code: a rectangle for each run of dark modules in a row, on a grid of one by one.

export function qrPathOf(modules: readonly (readonly boolean[])[]): string {
  const runs: string[] = [];
  for (const [y, row] of modules.entries()) {
    let start = -1;
    for (let x = 0; x <= row.length; x += 1) {
      if (row[x] && start < 0) start = x;
      if (row[x] || start < 0) continue;
      runs.push(`M${start} ${y}h${x - start}v1H${start}z`);
      start = -1;
    }
  }
  return runs.join('');
}
