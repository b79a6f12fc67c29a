/**
 * `tiny-bz.tar.bz2`, made with GNU tar and bzip2 1.0.8 because nothing in Node compresses bzip2: a folder `tiny-bz` with
 * encoder.onnx (a graph of 2 MB, so that there are three bzip2 blocks), decoder.onnx, joiner.onnx and tokens.txt.
 */
export const TINY_BZIP2_ARCHIVE = Buffer.from(
  [
    'QlpoOTFBWSZTWcBFDOcG3bvf4MzAQAP/kAAEAEB+IZ5wQCACAAQIMAC4DGTTIGTQyDI0wIwxk0yBk0MgyNMCMEVFNk',
    'BT0m1NNMgzSeI9TuW3G+lzyrFMp77jItiHtKcWIVqQUxKF7mydWJs1GGFqKdCz7gDzgSx51hyyN27peTcLK5EyJaRg',
    'ZEH8gwevv/Aqgioo6tSKoIqKP6//fProXRgWMqiZo6GhezNnZxzpq3pU04U+U9GKCskymsiI+VTAG3cYCAGAAQABhA',
    'JqNFQhEwqEInMUFZJlNZSY7dhQGHpV2gztBAA++VIAN2PZ7wAgAECDAAmtCVNTKemSZNAGmmQ0aDxARVARoaGjIaGE',
    'BoNAlJAA0AjCaGAExN9VnZCe7ltIg8CIeXaSEFMRihsRBQEndLKzYadrpDIZE5VdQKFoCjzhSKGMKrUtR4nfwTDhkV',
    'O3CuU7QED3sBVBUAbSIFUFQBsxwMaIRcfYr1wmhOsi6NY1siXsyzrfmdH0obRagNBdyRThQkGqkuyo',
  ].join(''),
  'base64',
);

/**
 * `pax.tar.bz2`, made with Python's tarfile and bz2: a folder `modèle` with the same four files, small ones, each behind a pax
 * header with its path and times.
 */
export const PAX_BZIP2_ARCHIVE = Buffer.from(
  [
    'QlpoOTFBWSZTWUB14poAAKJ//c7QAIBAAf/3wkfQEH7/3kAgAAMAAEOAQIgAEQAICEABvAAHMAmAmRgBGJiYTCYIaYmmBz',
    'AJgJkYARiYmEwmCGmJpgcwCYCZGAEYmJhMJghpiaYBVFNJpoJhI9TyI2po9IZBo9TEZDyTNJ6nh3R2/kxxQnfESOhwFCbU',
    'QhmzZ01VLwqwkxIXlejIULstEl6IQkg4Y3xWcWSMvEXZ3Xjl0k8/rLS+VPXltNrVv9ppONGxqHUOYzDGkzpEKcA0lAh8vn',
    'ObpLIHmJiDjKjAvwvDIXMNyqbpWodBduFF01FVpU0kqOX4VYZylpqKF6/CzzlcXSeapapkLarZLTBftLkRpOaMePOVnYdr',
    'F2HIfXv5z7a7sTOsk9R1qhKL7piGugjaZTKKjrKyOuTZYnUbT7sywoNg2mcyLGhWfwrRglPeYTKMC8wWUbDq8JmZmdveYi',
    'w8W7y5DGZ1rLaiiMSL5iJNzhUNaLC+SaBKFruMA5nccZcKhdOA0MDcafEWxiJi0yPL3N+8qNVnsPpWQpEP+LuSKcKEggOv',
    'FNA',
  ].join(''),
  'base64',
);
