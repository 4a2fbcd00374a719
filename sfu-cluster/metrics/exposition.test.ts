// Tests of the exposition: what no label and no figure may do to the page.
import { expect, test } from 'vitest';
import { counter, gauge, renderFamilies } from './exposition.ts';
import { createHistogram, createHistograms } from './histogram.ts';

test('a family without series still has its name, so that boards find it', () => {
  expect(renderFamilies([gauge('x', 'Of nothing.', [])])).toBe(
    '# HELP x Of nothing.\n# TYPE x gauge\n',
  );
});

test('no label breaks out of its quotes', () => {
  const text = renderFamilies([counter('x', 'a\nb', [[{ of: 'a"} 1\n\\' }, 2]])]);
  expect(text).toBe('# HELP x a\\nb\n# TYPE x counter\nx{of="a\\"} 1\\n\\\\"} 2\n');
});

test('what was never is infinite in the words of Prometheus', () => {
  expect(renderFamilies([gauge('x', '', Number.POSITIVE_INFINITY)])).toContain('\nx +Inf\n');
});

test('a histogram counts each value in its bucket and in all above it', () => {
  const histogram = createHistogram({ name: 'h', help: '', bounds: [1, 2] });
  for (const value of [0.5, 1, 1.5, 9]) histogram.observe(value);
  const lines = renderFamilies([histogram.family()]).trimEnd().split('\n').slice(2);
  expect(lines).toEqual([
    'h_bucket{le="1"} 2',
    'h_bucket{le="2"} 3',
    'h_bucket{le="+Inf"} 4',
    'h_sum 12',
    'h_count 4',
  ]);
});

test('histograms of one name have all their labels from the beginning', () => {
  const histograms = createHistograms({ name: 'h', help: '', bounds: [1] }, 'by', ['a', 'b']);
  histograms.observe('b', 3);
  const text = renderFamilies([histograms.family()]);
  expect(text).toContain('h_count{by="a"} 0\n');
  expect(text).toContain('h_sum{by="b"} 3\n');
});
