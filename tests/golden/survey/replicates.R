# Means of sample.csv and pairs.csv from replicate weights. R 4.2.2, survey 4.1-1.
# Rscript replicates.R, in this folder: writes replicates.json and recalibrated.json.

source("common.R")
rows <- read_rows("sample.csv")
two <- read_rows("pairs.csv")
people <- rows[!duplicated(rows$respondent), ]

design_of <- function(rows, strata = ~stratum) {
  svydesign(ids = ~cluster, strata = strata, weights = ~weight, data = rows)
}

# Estimates from replicates: of 9 means, centred at their average over the replicates (mse =
# FALSE) and at the estimate of the whole sample (mse = TRUE).
replicated <- function(design, pairs) {
  theta <- function(weights, data) weighted_means(pairs, weights)
  centred <- function(mse) {
    design$mse <- mse
    withReplicates(design, theta, return.replicates = TRUE)
  }
  average <- centred(FALSE)
  whole <- centred(TRUE)
  list(
    average = reported(coef(average), unname(vcov(average))),
    mse = reported(coef(whole), unname(vcov(whole))),
    replicate_means = unname(average$replicates)
  )
}

settings <- function(design) {
  list(type = design$type, rho = design$rho, scale = design$scale, rscales = design$rscales,
       combined = design$combined.weights, degf = degf(design))
}

# The replicate factors of the clusters, which multiply the weights of the sample.
factors <- function(design) {
  cluster <- as.character(design$variables$cluster)
  factors <- unclass(weights(design, "replication"))
  first <- which(!duplicated(cluster))
  agree(factors, factors[first[match(cluster, cluster[first])], ])
  list(clusters = cluster[first], factors = factors[first, ])
}

estimates <- function(design) {
  result <- replicated(design, pairs_of(design$variables))
  for (pair in 1:9) {
    answered <- pairs_of(design$variables)$answered[, pair]
    mean <- svymean(as.formula(paste0("~", ITEMS[(pair - 1) %% 3 + 1])), design[answered, ])
    agree(vcov(mean), result$average$covariance[pair, pair])
  }
  c(settings(design), factors(design), result)
}

set.seed(40)
designs <- list(
  JK1 = as.svrepdesign(design_of(rows, NULL), type = "JK1", compress = FALSE),
  JKn = as.svrepdesign(design_of(rows), type = "JKn", compress = FALSE),
  BRR = as.svrepdesign(design_of(two), type = "BRR", compress = FALSE),
  Fay = as.svrepdesign(design_of(two), type = "Fay", fay.rho = 0.3, compress = FALSE),
  subbootstrap = as.svrepdesign(design_of(rows), type = "subbootstrap", replicates = 40,
                                compress = FALSE),
  bootstrap = as.svrepdesign(design_of(rows), type = "bootstrap", replicates = 40,
                             compress = FALSE)
)
data <- c(JK1 = "sample.csv", JKn = "sample.csv", BRR = "pairs.csv", Fay = "pairs.csv",
          subbootstrap = "sample.csv", bootstrap = "sample.csv")
names <- setNames(names(designs), names(designs))
write_json(list(designs = lapply(names, function(name) {
  c(list(data = data[[name]]), estimates(designs[[name]]))
})), "replicates.json")

# Every replicate calibrated again, on one row per respondent. The replicate factors are those of
# replicates.json.
pairs <- lapply(pairs_of(rows), per_respondent, rows, people)

of_people <- function(name) {
  rep <- designs[[name]]
  at <- match(people$cluster, rep$variables$cluster)
  svrepdesign(data = people, weights = ~weight, repweights = weights(rep, "replication")[at, ],
              type = "other", scale = rep$scale, rscales = rep$rscales,
              combined.weights = FALSE, compress = FALSE)
}

recalibrated <- function(name) {
  start <- of_people(name)
  agree(replicated(start, pairs)$average$covariance,
        replicated(designs[[name]], pairs_of(rows))$average$covariance)
  # rake() stops when the whole sample is done, be the replicates so or not. So 60 rounds always,
  # of which it warns.
  rounds <- list(epsilon = -1, maxit = 60)
  adjusted <- list(
    rake = suppressWarnings(rake(start, list(~sex, ~age), list(SEX, AGE), control = rounds)),
    linear = calibrate(start, ~sex + age, MARGINS, compress = FALSE),
    raking = calibrate(start, ~sex + age, MARGINS, calfun = "raking", epsilon = 1e-13,
                       maxit = 1000, compress = FALSE)
  )
  lapply(adjusted, function(design) {
    agree(t(model.matrix(~sex + age, people)) %*% weights(design, "analysis"),
          matrix(MARGINS, 4, length(design$rscales)))
    c(list(weight = design$pweights, combined = design$combined.weights),
      replicated(design, pairs))
  })
}

write_json(list(respondents = as.character(people$respondent),
                designs = lapply(c(JKn = "JKn", bootstrap = "bootstrap"), recalibrated)),
           "recalibrated.json")
