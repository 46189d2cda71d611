// Window attention with time-dependent q, k, v (paper eq. 3-6): the parts that do not depend on the element type.
//
// Queries lie in the lanes of vectors. A strip is DK_STRIP queries; its scores are held as s[key][query], so
// the softmax over keys is element by element, and no vector is ever summed across its lanes. All five
// products of backward are tiles that broadcast a number from memory into multiply-adds with vectors.
// A strip holds the scores of all keys, [N][DK_STRIP], which is no more memory than k of a head that is DK_STRIP
// wide. One exact softmax without rescaling therefore serves windows of 4 tokens and of a thousand. Keys are
// processed in chunks of whole rows of the window, so that a chunk of k, v and scores stays in L1.

#define DK_STRIP (2 * DK_WIDTH)
#define DK_CHUNK 64  // keys in a chunk, or one row of the window
#define DK_GROUP 4   // vectors of a head's channels moved at once

#if DK_WIDTH == 16
#define DK_TILE 8  // rows of a register tile
#define DK_WIDE 3  // vectors of its widest row
#else
#define DK_TILE 6
#define DK_WIDE 2
#endif

#include "attention_places.h"
#include "attention_products.h"

// ---- softmax

// A strip: its queries are the positions [begin, begin + used), in the lanes of `vectors` vectors.
typedef struct {
  int64_t begin, used;
  int vectors;
  vf most[2], sum[2], dot[2];  // a query's largest score, sum of e^(score - most), sum of that times dP
} strip_state;

INLINE strip_state start_strip(const window_plan *plan, int64_t begin) {
  const int64_t left = plan->positions - begin;
  strip_state strip = {.begin = begin, .used = left < DK_STRIP ? left : DK_STRIP};
  strip.vectors = strip.used > DK_WIDTH ? 2 : 1;
  UNROLL for (int v = 0; v < 2; ++v) strip.most[v] = splat(-__builtin_inff());
  return strip;
}

// Adds the bias to scores of key rows [begin, end) and finds the largest. A NaN is ignored here; the exponential
// returns it again.
INLINE void add_bias(const int vectors, const window_plan *plan, int64_t w, int64_t begin, int64_t end,
                     const float *bias, strip_state *strip, float *s) {
  const float *from[2];
  vf most[2];
  UNROLL for (int v = 0; v < vectors; ++v) {
    from[v] = bias + first_pair(plan, plan->bias, strip->begin + v * DK_WIDTH);
    most[v] = strip->most[v];
  }
  for (int64_t r = begin; r < end; ++r)
    for (int64_t c = 0; c < w; ++c, s += DK_STRIP) {
      const int64_t at = r * plan->bias.key_row + c * plan->bias.key_column;
      UNROLL for (int v = 0; v < vectors; ++v) {
        const vf x = load(s + v * DK_WIDTH) + load(from[v] + at);
        most[v] = choose(x > most[v], x, most[v]);
        store(s + v * DK_WIDTH, x);
      }
    }
  UNROLL for (int v = 0; v < vectors; ++v) strip->most[v] = most[v];
}

// s = e^(s - most), and their sum; with dp also the sum of s dp.
INLINE void exponentials(const int vectors, int64_t keys, strip_state *strip, const float *dp, float *s) {
  vf sum[2], dot[2];
  UNROLL for (int v = 0; v < vectors; ++v) sum[v] = strip->sum[v], dot[v] = strip->dot[v];
  for (int64_t key = 0; key < keys; ++key)
    UNROLL for (int v = 0; v < vectors; ++v) {
      const int64_t at = key * DK_STRIP + v * DK_WIDTH;
      const vf e = exp_of(load(s + at) - strip->most[v]);
      sum[v] += e;
      if (dp) dot[v] = FMA(e, load(dp + at), dot[v]);
      store(s + at, e);
    }
  UNROLL for (int v = 0; v < vectors; ++v) strip->sum[v] = sum[v], strip->dot[v] = dot[v];
}

// P = s / sum in place of s and dS = P (dP - sum of P dP) in place of dp, for key rows [begin, end); dS is
// added to the gradient over pairs.
INLINE void score_gradients(const int vectors, const window_plan *plan, int64_t w, int64_t begin,
                            int64_t end, const strip_state *strip, float *s, float *dp, float *gradient) {
  float *to[2];
  vf scale[2], mean[2];
  UNROLL for (int v = 0; v < vectors; ++v) {
    to[v] = gradient + first_pair(plan, plan->gradient, strip->begin + v * DK_WIDTH);
    scale[v] = 1.0f / strip->sum[v];
    mean[v] = strip->dot[v] * scale[v];
  }
  for (int64_t r = begin; r < end; ++r)
    for (int64_t c = 0; c < w; ++c, s += DK_STRIP, dp += DK_STRIP) {
      const int64_t at = r * plan->gradient.key_row + c * plan->gradient.key_column;
      UNROLL for (int v = 0; v < vectors; ++v) {
        const vf p = load(s + v * DK_WIDTH) * scale[v];
        const vf ds = p * (load(dp + v * DK_WIDTH) - mean[v]);
        store(s + v * DK_WIDTH, p);
        store(dp + v * DK_WIDTH, ds);
        store(to[v] + at, load(to[v] + at) + ds);
      }
    }
}

// ---- a strip of queries

// The buffers for one window, for one strip, and for the whole call.
typedef struct {
  float *k, *v, *dk, *dv;         // of the window, [N][depth]
  float *q, *go, *dq, *qt, *got;  // of the strip, [queries][depth], transposed the last two
  float *s, *dp;                  // [N][DK_STRIP]
  float *sums, *pairs;            // of the table; over pairs, of each head
  float *shift;                   // sums over tokens of dq, dk, dv of each head, [heads][3][depth]
} attention_buffers;

// Lays out the buffers, for backward if `heads` is not 0. Everything beyond the channels of gathered rows is zero.
INLINE attention_buffers lay_out(const dk_attention *g, window_plan *plan, int64_t heads, float *scratch) {
  const int64_t window = plan->tokens * plan->depth, strip = DK_STRIP * plan->depth;
  const int64_t scores = plan->tokens * DK_STRIP, side = 2 * g->window - 1;
  attention_buffers b = {.k = scratch + place_rows(g, plan, scratch)};
  b.v = b.k + window, b.q = b.v + window, b.go = b.q + strip, b.dq = b.go + strip;
  b.qt = b.dq + strip, b.got = b.qt + strip, b.s = b.got + strip, b.dp = b.s + scores;
  b.dk = b.dp + scores, b.dv = b.dk + window, b.sums = b.dv + window;
  b.shift = b.sums + round_up(side * side) + DK_WIDTH, b.pairs = b.shift + 3 * heads * plan->depth;
  memset(b.k, 0, (size_t)(2 * window + 2 * strip) * sizeof(float));
  const int64_t zeros = heads * (3 * plan->depth + plan->pairs) + DK_WIDTH;
  if (heads > 0) memset(b.shift, 0, (size_t)zeros * sizeof(float));
  return b;
}

// One strip of queries of one window: scores over all keys, softmax, and the weighted sums of v (in dq), which
// are still to be multiplied by `scales`.
INLINE void attend(const int vectors, const dk_attention *g, const window_plan *plan, strip_state strip,
                   const float *bias, const attention_buffers *b, float *scales) {
  const int64_t w = g->window, depth = plan->depth;
  for (int64_t r = 0, end; r < w; r = end) {
    end = r + plan->chunk_rows < w ? r + plan->chunk_rows : w;
    float *scores = b->s + r * w * DK_STRIP;
    score_product(vectors, b->k + r * w * depth, depth, b->qt, (end - r) * w, g->head_dim, scores);
    add_bias(vectors, plan, w, r, end, bias, &strip, scores);
  }
  for (int64_t r = 0, end; r < w; r = end) {
    end = r + plan->chunk_rows < w ? r + plan->chunk_rows : w;
    float *scores = b->s + r * w * DK_STRIP;
    exponentials(vectors, (end - r) * w, &strip, NULL, scores);
    query_product(scores, b->v + r * w * depth, depth, strip.used, (end - r) * w, r > 0, b->dq);
  }
  UNROLL for (int i = 0; i < vectors; ++i) store(scales + i * DK_WIDTH, 1.0f / strip.sum[i]);
}

// One strip of queries of one window: dq, and what it adds to dk, dv and the gradient over pairs.
INLINE void attend_gradient(const int vectors, const dk_attention *g, const window_plan *plan,
                               strip_state strip, const float *bias, const attention_buffers *b, float *pairs) {
  const int64_t w = g->window, d = g->head_dim, depth = plan->depth;
  for (int64_t r = 0, end; r < w; r = end) {
    end = r + plan->chunk_rows < w ? r + plan->chunk_rows : w;
    const int64_t key = r * w, keys = (end - r) * w;
    score_product(vectors, b->k + key * depth, depth, b->qt, keys, d, b->s + key * DK_STRIP);
    add_bias(vectors, plan, w, r, end, bias, &strip, b->s + key * DK_STRIP);
    score_product(vectors, b->v + key * depth, depth, b->got, keys, d, b->dp + key * DK_STRIP);
  }
  exponentials(vectors, plan->tokens, &strip, b->dp, b->s);
  for (int64_t r = 0, end; r < w; r = end) {
    end = r + plan->chunk_rows < w ? r + plan->chunk_rows : w;
    const int64_t key = r * w, keys = (end - r) * w;
    float *p = b->s + key * DK_STRIP, *ds = b->dp + key * DK_STRIP;
    score_gradients(vectors, plan, w, r, end, &strip, p, ds, pairs);
    key_product(p, b->go, depth, strip.used, keys, strip.begin > 0, b->dv + key * depth);  // dV += P^T dO
    key_product(ds, b->q, depth, strip.used, keys, strip.begin > 0, b->dk + key * depth);  // dK += dS^T q
    query_product(ds, b->k + key * depth, depth, strip.used, keys, r > 0, b->dq);          // dq += dS k
  }
}
