# Writes sample.csv, lonely.csv and pairs.csv: synthetic answers, no real respondents.
# Rscript make_data.R; made with R 4.2.2.

ORGANIZATIONS <- c("a", "b", "c")

# One row per respondent: `clusters` holds the number of clusters in every stratum.
respondents <- function(clusters, in_population, per_cluster) {
  stratum <- rep(seq_along(clusters), clusters)
  cluster <- seq_along(stratum)
  size <- sample(per_cluster, length(cluster), replace = TRUE)
  of <- rep(cluster, size)
  years <- sample(18:80, length(of), replace = TRUE)
  data.frame(
    respondent = sprintf("r%03d", seq_along(of)),
    stratum = paste0("s", stratum[of]),
    cluster = sprintf("k%02d", of),
    population_size = in_population[stratum[of]],
    weight = round(pmin(4, pmax(0.5, rlnorm(length(of), 0.5, 0.55))), 3),
    sex = sample(c("female", "male"), length(of), replace = TRUE, prob = c(0.6, 0.4)),
    age = as.character(cut(years, c(0, 34, 54, 99), c("young", "middle", "old"))),
    age_years = years,
    mood = rnorm(length(of)) + rnorm(length(cluster), 0, 0.6)[of] + 0.25 * stratum[of]
  )
}

# One row per evaluation: 1 or 2 organizations each, answers on 1..7, some 8 % missing.
evaluations <- function(people) {
  rated <- lapply(seq_len(nrow(people)), function(i) {
    sort(sample(ORGANIZATIONS, 1 + rbinom(1, 1, 0.42)))
  })
  rows <- people[rep(seq_len(nrow(people)), lengths(rated)), ]
  rows$organization <- unlist(rated)
  level <- 3.4 + c(a = 0.5, b = 0, c = -0.3)[rows$organization] + 0.5 * rows$mood +
    0.5 * (rows$sex == "female") + 0.02 * (rows$age_years - 45)
  for (item in 1:3) {
    answer <- round(pmin(7, pmax(1, level + 0.3 * item - 0.6 + rnorm(nrow(rows), 0, 1.1))))
    rows[[paste0("q", item)]] <- ifelse(runif(nrow(rows)) < 0.08, NA, answer)
  }
  rows$channel <- "web"
  rows[c("respondent", "organization", "channel", "stratum", "cluster", "population_size",
         "weight", "sex", "age", "age_years", "q1", "q2", "q3")]
}

# Stratum s1 keeps one cluster; in stratum s2 one cluster alone rates organization a: elsewhere
# in s2, a becomes an organization that the respondent does not rate yet.
lonely <- function(rows) {
  rows <- rows[rows$stratum != "s1" | rows$cluster == min(rows$cluster), ]
  rater <- min(rows$cluster[rows$stratum == "s2" & rows$organization == "a"])
  for (i in which(rows$stratum == "s2" & rows$organization == "a" & rows$cluster != rater)) {
    taken <- rows$organization[rows$respondent == rows$respondent[i]]
    rows$organization[i] <- setdiff(c("b", "c"), taken)[1]
  }
  rows
}

save <- function(rows, file) write.csv(rows, file, row.names = FALSE, quote = FALSE, na = "")

set.seed(20261125)
sample_rows <- evaluations(respondents(c(4, 5, 6, 7, 8), c(10, 12, 20, 35, 24), 3:5))
save(sample_rows, "sample.csv")
save(lonely(sample_rows), "lonely.csv")
save(evaluations(respondents(rep(2, 8), rep(12, 8), 4:7)), "pairs.csv")
